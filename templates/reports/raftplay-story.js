// story: events in words, which of them matter, who led when, and when clients were not served.
const story = (function () {
  const m = model;
  function seconds(ns, places) {
    return (ns / 1e9).toFixed(places === undefined ? 4 : places) + ' s';
  }
  function lasting(ns) {
    if (ns >= 1e9) return (ns / 1e9).toFixed(ns >= 1e10 ? 1 : 3) + ' s';
    if (ns >= 1e6) return (ns / 1e6).toFixed(1) + ' ms';
    return (ns / 1e3).toFixed(0) + ' µs';
  }

  const words = {
    Prop: 'a write for the leader', ReadIndex: 'a read for the leader', ReadIndexResp: 'where a read may be answered', App: 'entries', AppResp: 'what it has of the log',
    Heartbeat: 'a heartbeat', HeartbeatResp: 'its answer to a heartbeat', Vote: 'a request for its vote', VoteResp: 'its answer to the vote',
    PreVote: 'the question whether it would vote', PreVoteResp: 'its answer to the question for a vote', Snap: 'a snapshot', TimeoutNow: 'the order to stand for election',
  };
  const word = (i) => words.hasOwnProperty(m.messageOf(i)) ? words[m.messageOf(i)] : m.messageOf(i);
  const told = {
    send: (i, who, other) => who + ' sends ' + other + ' ' + word(i) + (m.index[i] && m.messageOf(i) === 'App' ? ', behind ' + m.index[i] : ''),
    receive: (i, who, other) => who + ' gets from ' + other + ' ' + word(i),
    drop: (i, who, other) => 'lost between ' + who + ' and ' + other + ': ' + word(i) + (m.textOf(i) ? ', as ' + m.textOf(i) : ''),
    role: (i, who) => {
      const t = m.term[i];
      switch (m.textOf(i)) {
        case 'pre-candidate': return who + ' asks whether it would win term ' + (t + 1);
        case 'candidate': return who + ' stands for election, in term ' + t;
        case 'leader': return who + ' leads term ' + t;
        case 'follower': return who + ' follows, in term ' + t;
      }
      return who + ' is ' + m.textOf(i) + ', in term ' + t;
    },
    vote: (i, who, other) => {
      const would = m.messageOf(i) !== 'Vote';
      if (m.textOf(i) === 'granted') return who + (would ? ' would vote for ' : ' votes for ') + other;
      return who + (would ? ' would not vote for ' : ' does not vote for ') + other + ': ' + m.textOf(i);
    },
    timer: (i, who) => who + ' sets its election timer to ' + lasting(m.until[i] - m.at[i]),
    append: (i, who) => who + "'s log ends with " + m.index[i] + ', of term ' + m.term[i],
    sync: (i, who) => who + ' waits for its disk, ' + lasting(m.until[i] - m.at[i]),
    durable: (i, who) => who + "'s disk has the log up to " + m.index[i],
    commit: (i, who) => who + ' knows ' + m.index[i] + ' as committed',
    apply: (i, who) => who + ' applies up to ' + m.index[i],
    snapshot: (i, who, other) => m.peer[i] === m.NONE ? who + ' takes a snapshot at ' + m.index[i] : who + ' gets a snapshot at ' + m.index[i] + ' from ' + other,
    crash: (i, who) => who + ' ends; its disk has the log up to ' + m.index[i],
    restart: (i, who) => who + ' starts again',
    pause: (i, who) => who + ' stands still',
    resume: (i, who) => who + ' goes on',
    join: (i, who) => who + ' is a member now',
    leave: (i, who) => who + ' is no member any more',
    fault: (i) => 'fault: ' + m.textOf(i),
    heal: (i) => 'over: ' + m.textOf(i),
    invoke: (i) => 'a client asks: ' + m.textOf(i),
    return: (i) => 'a client has its answer: ' + m.textOf(i) + ', after ' + lasting(m.at[i] - m.until[i]),
    violated: (i, who) => 'violated' + (m.node[i] === m.NONE ? '' : ', at ' + who) + ': ' + m.textOf(i),
  };
  function tell(i) {
    const what = m.kindOf(i);
    return told.hasOwnProperty(what) ? told[what](i, m.nameOf(m.node[i]), m.nameOf(m.peer[i])) : what + ' ' + m.textOf(i);
  }

  // What matters: {event, at, group, text}. Groups are leader, election, fault, violation and note.
  const notable = [], reigns = [], outages = [], faults = [];
  (function find() {
    const roles = m.nodes.map(() => 'follower'), reign = m.nodes.map(() => null), begun = [];
    let waiting = 0, asked = 0, answered = 0;
    const add = (i, group, text) => notable.push({ event: i, at: m.at[i], group: group, text: text || tell(i) });
    const ends = (slot, now) => { if (reign[slot]) { reign[slot].to = now; reign[slot] = null; } };
    for (let i = 0; i < m.count; i++) {
      const slot = m.node[i], now = m.at[i];
      switch (m.kindOf(i)) {
        case 'role': {
          if (slot === m.NONE) break;
          const was = roles[slot], is = roles[slot] = m.textOf(i);
          if (is === 'leader') {
            reigns.push(reign[slot] = { node: slot, term: m.term[i], from: now, to: m.duration });
            add(i, 'leader');
          } else {
            ends(slot, now);
            if (was === 'leader') add(i, 'leader', m.nameOf(slot) + ' steps down, in term ' + m.term[i]);
            else if (is === 'candidate' || is === 'pre-candidate') add(i, 'election');
            else if (was !== 'follower') add(i, 'election', m.nameOf(slot) + ' gives way, in term ' + m.term[i]);
          }
          break;
        }
        case 'vote': add(i, 'election'); break;
        case 'crash': case 'leave': if (slot !== m.NONE) { ends(slot, now); roles[slot] = 'follower'; } add(i, 'fault'); break;
        case 'restart': case 'pause': case 'resume': case 'join': add(i, 'fault'); break;
        case 'fault': add(i, 'fault'); begun.push({ from: now, to: m.duration, text: m.textOf(i), open: true }); break;
        case 'heal': {
          add(i, 'fault');
          const f = begun.find((b) => b.open && b.text === m.textOf(i));
          if (f) { f.to = now; f.open = false; f.lasts = true; }
          break;
        }
        case 'violated': add(i, 'violation'); break;
        case 'snapshot': if (m.peer[i] !== m.NONE) add(i, 'note'); break;
        case 'sync': if (m.data.election && m.until[i] - now >= m.data.election / 2) add(i, 'note'); break;
        case 'invoke': if (waiting++ === 0) asked = now; break;
        case 'return':
          waiting = Math.max(waiting - 1, 0);
          if (m.textOf(i) === 'done') {
            if (m.data.election && now - Math.max(asked, answered) >= m.data.election / 2) {
              outages.push({ from: answered, to: now });
              add(i, 'note', 'clients are answered, after ' + lasting(now - answered) + ' without');
            }
            answered = now;
          }
      }
    }
    if (waiting && m.data.election && m.duration - Math.max(asked, answered) >= m.data.election / 2) outages.push({ from: answered, to: m.duration });
    for (const b of begun) faults.push(b);
  })();

  // moments are the times of what matters, each once: the pace of the story follows from them.
  const moments = [0];
  for (const n of notable) if (n.at > moments[moments.length - 1]) moments.push(n.at);
  moments.push(m.duration);
  const BRIEF = 0.3, LONGEST = 8; // seconds between two moments, at the least and at the most
  // rate is how many nanoseconds pass in a second of the story, and from when until when that is so.
  function rate(time) {
    let low = 0, high = moments.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (moments[middle] <= time) low = middle; else high = middle;
    }
    const gap = Math.max(moments[high] - moments[low], 1);
    const calm = (m.data.heartbeat || 1e8) / 0.6; // a round of heartbeats in 0.6 s
    return { rate: gap / Math.min(Math.max(gap / calm, BRIEF), LONGEST), since: moments[low], until: moments[high] };
  }
  return { seconds, lasting, tell, notable, reigns, outages, faults, rate };
})();
