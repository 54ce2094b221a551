// stage: the nodes on a circle, and the messages between them.
const stage = (function () {
  const SVG = 'http://www.w3.org/2000/svg';
  const m = model;
  const WIDTH = 720, HEIGHT = 450, MOST = 400; // MOST messages are drawn at once
  const visible = { heartbeat: true, log: true, client: true, snap: true, vote: true };

  function make(parent, name, attributes, text) {
    const made = document.createElementNS(SVG, name);
    for (const key in attributes) made.setAttribute(key, attributes[key]);
    if (text !== undefined) made.textContent = text;
    if (parent) parent.appendChild(made);
    return made;
  }
  const set = (element, key, value) => { if (element.getAttribute(key) !== String(value)) element.setAttribute(key, value); };
  const say = (element, text) => { if (element.textContent !== text) element.textContent = text; };
  const svg = make(null, 'svg', { viewBox: '0 0 ' + WIDTH + ' ' + HEIGHT, role: 'img', 'aria-label': 'The nodes of the cluster' });
  document.getElementById('stage').appendChild(svg);
  const hatch = make(make(svg, 'defs', {}), 'pattern', { id: 'hatch', width: 8, height: 8, patternUnits: 'userSpaceOnUse', patternTransform: 'rotate(45)' });
  make(hatch, 'rect', { width: 8, height: 8, class: 'ground' });
  make(hatch, 'rect', { width: 3, height: 8, class: 'ink' });
  const links = make(svg, 'g', {}), middle = make(svg, 'g', { class: 'middle' }), dots = make(svg, 'g', {}), bodies = make(svg, 'g', {});
  const below = m.nodes.length === 1 ? 104 : 0; // the only node stands in the middle itself
  const headline = make(middle, 'text', { x: WIDTH / 2, y: HEIGHT / 2 - 4 + below, class: 'big' }), quorum = make(middle, 'text', { x: WIDTH / 2, y: HEIGHT / 2 + 20 + below });

  const n = m.nodes.length;
  const radius = n <= 5 ? 46 : n <= 7 ? 41 : n <= 9 ? 36 : Math.max(10, 300 / n);
  const spots = m.nodes.map((_, i) => {
    if (n === 1) return { x: WIDTH / 2, y: HEIGHT / 2 };
    const angle = -Math.PI / 2 + 2 * Math.PI * i / n + (n === 2 ? -Math.PI / 2 : 0);
    return { x: WIDTH / 2 + (WIDTH / 2 - radius - 78) * Math.cos(angle), y: HEIGHT / 2 + (HEIGHT / 2 - radius - 24) * Math.sin(angle) - 8 };
  });
  const between = [];
  for (let a = 0; a < n && n <= 20; a++) {
    for (let b = a + 1; b < n; b++) {
      between.push({ a, b, line: make(links, 'line', { class: 'link', x1: spots[a].x, y1: spots[a].y, x2: spots[b].x, y2: spots[b].y }) });
    }
  }
  const around = 2 * Math.PI * (radius + 7);
  function cut(name) { const most = n <= 5 ? 10 : 7; return Array.from(name).length > most ? Array.from(name).slice(0, most - 1).join('') + '…' : name; }
  const drawn = m.nodes.map((node, i) => {
    const g = make(bodies, 'g', { class: 'node', transform: 'translate(' + spots[i].x + ' ' + spots[i].y + ')' });
    make(g, 'title', {}, node.name + (node.zone ? ', zone ' + node.zone : ''));
    make(g, 'circle', { class: 'rail', r: radius + 7 });
    const ring = make(g, 'circle', { class: 'ring', r: radius + 7, transform: 'rotate(-90)', 'stroke-dasharray': around });
    make(g, 'circle', { class: 'body', r: radius });
    return {
      g, ring, name: make(g, 'text', { class: 'name', y: radius > 30 ? -10 : 4 }, cut(node.name)),
      role: make(g, 'text', { class: 'role', y: 8 }), term: make(g, 'text', { class: 'term', y: 25 }),
      vote: make(g, 'text', { class: 'ballot', y: radius + 26 }),
    };
  });
  const pool = [];
  function dot(i) {
    if (!pool[i]) {
      const g = make(dots, 'g', {});
      pool[i] = { g, shape: make(g, 'path', {}), label: make(g, 'text', { y: -10 }) };
    }
    return pool[i];
  }
  const shapes = { heartbeat: 'M-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0Z', log: 'M-4.5-4.5h9v9h-9Z', client: 'M0-5.5L5 4H-5Z', vote: 'M0-9L9 0L0 9L-9 0Z', snap: 'M-8-6h16v12h-16Z' };
  const labels = { Vote: 'vote?', PreVote: 'would you?', Snap: 'snapshot', TimeoutNow: 'stand!' };

  // Which nodes a fault cuts off, by what it says: "partition a,b | c", "isolate a", "one-way a -> b". Other faults cut nothing.
  const byName = new Map(m.nodes.map((node, i) => [node.name, i]));
  const group = (text) => text.split(',').map((name) => byName.get(name.trim())).filter((i) => i !== undefined);
  function cuts(faults) {
    const gone = new Set();
    for (const text of faults) {
      const found = /^(partition|isolate|one-way) +(.*)$/.exec(text);
      if (!found) continue;
      const sides = found[2].split(found[1] === 'partition' ? ' | ' : ' -> '), from = group(sides[0]);
      const to = sides.length > 1 ? group(sides[1]) : m.nodes.map((_, i) => i).filter((i) => !from.includes(i));
      for (const a of from) for (const b of to) { gone.add(a + ' ' + b); if (found[1] !== 'one-way') gone.add(b + ' ' + a); }
    }
    return gone;
  }
  let cutFor = null, gone = new Set();

  function condition(s) {
    if (!s.in) return 'absent';
    if (!s.up) return 'down';
    if (s.paused) return 'paused';
    return s.role;
  }
  function drawNode(i, s, time) {
    const d = drawn[i], is = condition(s);
    set(d.g, 'class', 'node ' + (/^[a-z-]+$/.test(is) ? is : '') + (s.violated ? ' violated' : ''));
    if (radius > 30) {
      say(d.role, is === 'absent' ? 'no member' : is === 'pre-candidate' ? 'asks first' : is);
      say(d.term, is === 'absent' ? '' : 'term ' + s.term);
    }
    const running = s.in && s.up && s.role !== 'leader' && s.timeout > 0;
    const left = running ? Math.min(Math.max((s.until - (s.paused ? s.frozen : time)) / s.timeout, 0), 1) : 0;
    set(d.ring, 'stroke-dashoffset', ((1 - left) * around).toFixed(1));
    const voted = s.up && s.vote !== m.NONE && s.voteTerm >= s.term && time - s.voteAt < 2 * (m.data.heartbeat || 1e8);
    say(d.vote, voted ? '✓ ' + cut(m.nameOf(s.vote)) : '');
  }
  function drawMiddle(state) {
    const all = state.nodes.filter((s) => s.in), up = all.filter((s) => s.up && !s.paused).length, need = Math.floor(all.length / 2) + 1;
    let leads = -1;
    state.nodes.forEach((s, i) => { if (s.in && s.up && !s.paused && s.role === 'leader' && (leads < 0 || s.term > state.nodes[leads].term)) leads = i; });
    say(headline, n > 20 ? '' : leads < 0 ? 'no leader' : cut(m.nameOf(leads)) + ' leads');
    say(quorum, n > 20 ? '' : up + ' of ' + all.length + ' run, ' + need + ' are a majority');
    set(quorum, 'class', up < need ? 'bad' : '');
    return leads;
  }
  function drawLinks(state) {
    const key = state.faults.join('\n');
    if (cutFor !== key) { cutFor = key; gone = cuts(state.faults); }
    for (const l of between) {
      const off = !state.nodes[l.a].in || !state.nodes[l.b].in;
      const cutOff = gone.has(l.a + ' ' + l.b) || gone.has(l.b + ' ' + l.a);
      set(l.line, 'class', off ? 'link off' : cutOff ? 'link cut' : 'link');
    }
  }

  // Messages that are under way, or are drawn as if: of those sent since a time, none takes less than least nanoseconds.
  function underWay(time, least, since) {
    const window = Math.max(least, m.LONG), found = [], seen = new Map();
    let looked = 0;
    const take = (f) => {
      const lasts = Math.max(f.end - f.sent, f.sent >= since ? least : 0);
      if (!visible[f.cls] || f.from === m.NONE || f.to === m.NONE || f.from === f.to || time - f.sent > (isFinite(lasts) ? lasts : m.LONG)) return;
      // Of what repeats on a link, two at a time are enough.
      const key = f.from + ' ' + f.to + f.name, n = (seen.get(key) || 0) + 1;
      seen.set(key, n);
      if (n <= (f.cls === 'vote' ? 4 : 2)) found.push({ f, share: (time - f.sent) / (isFinite(lasts) ? lasts : m.LONG) });
    };
    for (let i = m.sentBefore(time) - 1; i >= 0 && m.flights[i].sent > time - window && found.length < MOST && looked++ < 4000; i--) take(m.flights[i]);
    for (const f of m.longFlights) if (f.sent <= time - window && f.end >= time && found.length < MOST) take(f);
    return found;
  }
  function drawMessages(time, least, since) {
    const found = underWay(time, least, since);
    found.forEach((item, i) => {
      const f = item.f, d = dot(i), a = spots[f.from], b = spots[f.to];
      const dx = b.x - a.x, dy = b.y - a.y, far = Math.hypot(dx, dy) || 1;
      // The way goes from edge to edge, a little to the right, so that both directions have their own.
      const share = (radius + 8 + Math.min(item.share, f.fate === 'lost' ? 0.55 : 1) * (far - 2 * radius - 16)) / far;
      const lost = f.fate === 'lost' && item.share > 0.5;
      set(d.g, 'transform', 'translate(' + (a.x + dx * share - dy / far * 6).toFixed(1) + ' ' + (a.y + dy * share + dx / far * 6).toFixed(1) + ')');
      set(d.g, 'class', 'message ' + f.cls + (f.reply ? ' reply' : '') + (f.verdict ? ' ' + f.verdict : '') + (lost ? ' lost' : ''));
      set(d.g, 'opacity', lost ? (2 - 2 * item.share).toFixed(2) : 1);
      set(d.shape, 'd', lost ? 'M-6-6L6 6M-6 6L6-6' : shapes[f.cls]);
      say(d.label, f.verdict !== undefined ? f.verdict : labels.hasOwnProperty(f.name) ? labels[f.name] : '');
      set(d.g, 'visibility', 'visible');
    });
    for (let i = found.length; i < pool.length; i++) set(pool[i].g, 'visibility', 'hidden');
    return found.length;
  }
  // draw shows a state at a time; messages that were sent since another fly for least nanoseconds.
  function draw(state, time, least, since) {
    state.nodes.forEach((s, i) => drawNode(i, s, time));
    drawLinks(state);
    drawMessages(time, least, since);
    return drawMiddle(state);
  }
  return { draw, condition, visible, make, set, say };
})();
