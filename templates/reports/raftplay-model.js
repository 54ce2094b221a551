'use strict';
// model: the recording as columns, and the state of the cluster after any number of its events.
const model = (function () {
  const data = JSON.parse(document.getElementById('data').textContent);
  const KEYFRAME = 1000; // events between two states that are kept
  const NONE = 0xffff;
  const count = data.count;
  const nodes = data.nodes.map((n) => ({ id: n.id, name: n.name, zone: n.zone || '', in: n.in }));
  const slots = new Map(nodes.map((n, i) => [n.id, i]));
  const at = new Float64Array(count), until = new Float64Array(count), id = new Float64Array(count), term = new Float64Array(count), index = new Float64Array(count);
  const kind = new Uint16Array(count), node = new Uint16Array(count), peer = new Uint16Array(count), message = new Uint16Array(count), text = new Uint32Array(count);

  // Events as pkg/report/raftplay's packer writes them.
  (function unpack() {
    const raw = atob(data.events);
    let place = 0, now = 0, lastMessage = 0, lastOperation = 0, lastIndex = 0;
    const byte = () => raw.charCodeAt(place++);
    function unsigned() {
      let value = 0, scale = 1, b;
      do { b = byte(); value += (b & 127) * scale; scale *= 128; } while (b > 127);
      return value;
    }
    function signed() {
      const value = unsigned();
      return value % 2 ? -(value + 1) / 2 : value / 2;
    }
    const slot = () => { const found = slots.get(unsigned()); return found === undefined ? NONE : found; };
    for (let i = 0; i < count; i++) {
      const has = byte();
      kind[i] = unsigned();
      at[i] = now += unsigned();
      node[i] = has & 1 ? slot() : NONE;
      peer[i] = has & 2 ? slot() : NONE;
      if (has & 4) {
        const name = data.kinds[kind[i]];
        if (name === 'invoke' || name === 'return') id[i] = lastOperation += signed();
        else id[i] = lastMessage += signed();
      }
      if (has & 8) term[i] = unsigned();
      if (has & 16) index[i] = lastIndex += signed();
      message[i] = has & 32 ? unsigned() : NONE;
      if (has & 64) until[i] = now + signed();
      text[i] = has & 128 ? unsigned() + 1 : 0;
    }
  })();
  const kindOf = (i) => data.kinds[kind[i]];
  const messageOf = (i) => message[i] === NONE ? '' : data.messages[message[i]];
  const textOf = (i) => text[i] ? data.texts[text[i] - 1] : '';
  const nameOf = (slot) => slot === NONE ? 'nobody' : nodes[slot].name;

  // What a message is about; its colour and shape follow from it.
  const classes = data.messages.map((name) => {
    if (/Vote|TimeoutNow/.test(name)) return 'vote';
    if (/^Heartbeat/.test(name)) return 'heartbeat';
    if (/^Snap/.test(name)) return 'snap';
    if (/^(Prop|ReadIndex)/.test(name)) return 'client';
    return 'log';
  });

  // Messages with both of their ends. One that arrives twice is two.
  const flights = [];
  (function pair() {
    const open = new Map(), verdicts = new Map();
    for (let i = 0; i < count; i++) {
      const what = kindOf(i);
      if (what === 'send') {
        const f = { from: node[i], to: peer[i], sent: at[i], end: NaN, fate: 'flies', name: messageOf(i), cls: classes[message[i]] || 'log', reply: /Resp$/.test(messageOf(i)) };
        if (/VoteResp$/.test(f.name)) f.verdict = verdicts.get(node[i] + ' ' + peer[i]) || '';
        open.set(id[i], f);
        flights.push(f);
      } else if (what === 'vote') {
        verdicts.set(node[i] + ' ' + peer[i], textOf(i) === 'granted' ? 'yes' : 'no');
      } else if (what === 'receive' || what === 'drop') {
        let f = open.get(id[i]);
        if (!f) continue;
        if (!isNaN(f.end)) { f = Object.assign({}, f); flights.push(f); }
        f.end = at[i];
        f.fate = what === 'drop' ? 'lost' : 'arrives';
      }
    }
    for (const f of flights) if (isNaN(f.end)) f.end = Infinity;
    flights.sort((a, b) => a.sent - b.sent);
  })();
  const LONG = 50e6; // nanoseconds: flights beyond it are few, and stand in a list of their own
  const usual = (function () { // how long a message flies: the median
    const all = flights.map((f) => f.end - f.sent).filter(isFinite).sort((a, b) => a - b);
    return all.length ? all[all.length >> 1] : 0;
  })();
  const longFlights = flights.filter((f) => f.end - f.sent > LONG);

  // Faults that last: those that end in the recording, and those that are no single act.
  const lasting = new Set();
  (function () {
    const open = [];
    for (let i = 0; i < count; i++) {
      const what = kindOf(i);
      if (what === 'fault') {
        open.push(i);
        if (!/^(kill|restart|wipe|torn-fsync|add-member|remove-member|transfer) /.test(textOf(i))) lasting.add(i);
      } else if (what === 'heal') {
        const at = open.findIndex((f) => textOf(f) === textOf(i));
        if (at >= 0) lasting.add(open.splice(at, 1)[0]);
      }
    }
  })();

  function start() {
    return {
      events: 0, asked: 0, done: 0, failed: 0, waiting: 0, lastAnswer: 0, faults: [],
      nodes: nodes.map((n) => ({
        in: n.in, up: n.in, paused: false, role: 'follower', term: 0, leader: NONE, last: 0, segments: [], durable: 0, commit: 0, applied: 0, snapshot: 0,
        set: 0, until: 0, timeout: 0, frozen: 0, sync: 0, vote: NONE, voteTerm: 0, voteAt: -Infinity, violated: false,
      })),
    };
  }
  function copy(s) {
    const c = Object.assign({}, s);
    c.faults = s.faults.slice();
    c.nodes = s.nodes.map((n) => Object.assign({}, n, { segments: n.segments.slice() }));
    return c;
  }

  // Segments are [first index, term], as many as the log has terms.
  function append(n, end, ofTerm) {
    while (n.segments.length && n.segments[n.segments.length - 1][0] > end) n.segments.pop();
    const top = n.segments[n.segments.length - 1];
    if (!top || top[1] !== ofTerm) {
      const first = end > n.last ? n.last + 1 : end;
      while (n.segments.length && n.segments[n.segments.length - 1][0] >= first) n.segments.pop();
      n.segments.push([first, ofTerm]);
    }
    n.last = end;
    n.durable = Math.min(n.durable, end);
  }
  function termAt(n, place) {
    for (let i = n.segments.length - 1; i >= 0; i--) if (n.segments[i][0] <= place) return n.segments[i][1];
    return 0;
  }

  const reset = (n, now) => { n.set = now; n.until = now + n.timeout; };
  const changes = {
    role(n, i) {
      n.role = textOf(i); n.term = term[i]; n.leader = n.role === 'leader' ? node[i] : peer[i];
    },
    timer(n, i) { n.set = at[i]; n.until = until[i]; n.timeout = until[i] - at[i]; },
    receive(n, i) {
      // What comes from a leader puts the election off.
      if (n.role !== 'leader' && !n.paused && /^(Heartbeat|App|Snap)$/.test(messageOf(i))) { reset(n, at[i]); n.leader = peer[i]; }
    },
    vote(n, i) {
      if (textOf(i) === 'granted') {
        if (messageOf(i) === 'Vote') reset(n, at[i]);
        n.vote = peer[i]; n.voteTerm = term[i]; n.voteAt = at[i];
      }
    },
    append(n, i) { append(n, index[i], term[i]); },
    sync(n, i) { n.sync = until[i]; },
    durable(n, i) { n.durable = index[i]; },
    commit(n, i) { n.commit = index[i]; },
    apply(n, i) { n.applied = index[i]; },
    snapshot(n, i) {
      n.snapshot = index[i];
      if (peer[i] === NONE) return;
      if (index[i] > n.last) { n.last = index[i]; n.segments = []; }
      n.commit = Math.max(n.commit, index[i]); n.applied = Math.max(n.applied, index[i]); n.durable = Math.max(n.durable, index[i]);
    },
    crash(n, i) {
      n.up = n.paused = false; n.role = 'follower'; n.leader = NONE; n.last = n.durable = index[i]; n.sync = 0;
      n.commit = Math.min(n.commit, n.last); n.applied = Math.min(n.applied, n.last);
      while (n.segments.length && n.segments[n.segments.length - 1][0] > n.last) n.segments.pop();
    },
    restart(n) { n.up = true; },
    pause(n, i) { n.paused = true; n.frozen = at[i]; },
    resume(n, i) { n.paused = false; n.until += at[i] - n.frozen; },
    join(n) { n.in = n.up = true; },
    leave(n) { n.in = n.up = false; n.role = 'follower'; },
    violated(n) { n.violated = true; },
  };
  function apply(s, i) {
    s.events = i + 1;
    const what = kindOf(i);
    if (node[i] !== NONE && changes.hasOwnProperty(what)) return changes[what](s.nodes[node[i]], i);
    if (what === 'fault') { if (lasting.has(i)) s.faults.push(textOf(i)); }
    else if (what === 'heal') { const where = s.faults.indexOf(textOf(i)); if (where >= 0) s.faults.splice(where, 1); }
    else if (what === 'invoke') { s.asked++; s.waiting++; }
    else if (what === 'return') {
      s.waiting = Math.max(s.waiting - 1, 0);
      if (textOf(i) === 'done') { s.done++; s.lastAnswer = at[i]; } else s.failed++;
    }
  }

  const keyframes = [];
  (function remember() {
    const s = start();
    for (let i = 0; i < count; i++) {
      if (i % KEYFRAME === 0) keyframes.push(copy(s));
      apply(s, i);
    }
    if (!keyframes.length) keyframes.push(s);
  })();

  // state is the cluster after n events; a state that is not later may be given, and is changed.
  function state(n, from) {
    const near = Math.min(Math.floor(n / KEYFRAME), keyframes.length - 1);
    const s = from && from.events <= n && from.events >= keyframes[near].events ? from : copy(keyframes[near]);
    for (let i = s.events; i < n; i++) apply(s, i);
    return s;
  }
  // after is how many events have happened at a time.
  function after(time) {
    let low = 0, high = count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (at[middle] <= time) low = middle + 1; else high = middle;
    }
    return low;
  }
  // sentBefore is how many messages were sent by a time.
  function sentBefore(time) {
    let low = 0, high = flights.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (flights[middle].sent <= time) low = middle + 1; else high = middle;
    }
    return low;
  }
  return {
    data, nodes, count, NONE, LONG, at, until, id, term, index, node, peer, flights, longFlights, usual, classes, message,
    kindOf, messageOf, textOf, nameOf, state, after, sentBefore, termAt, duration: data.duration,
  };
})();
