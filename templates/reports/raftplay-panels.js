// panels: the list of what happened, the table of nodes and logs, and the track.
const panels = (function () {
  const m = model, byId = (id) => document.getElementById(id);
  const { make, set, say } = stage;
  function html(parent, name, text, className) {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (className) made.className = className;
    parent.appendChild(made);
    return made;
  }
  const hue = (term) => 't' + (term % 6);

  // The list has rows of one height, and only those in sight are there.
  const ROW = 40, list = byId('list'), rows = byId('rows');
  const groups = [['', 'all'], ['leader', 'leaders'], ['election', 'elections'], ['fault', 'faults'], ['violation', 'violations']];
  let shown = story.notable, current = -1, onPick = null, group = '', held = 0;
  function fill() {
    const first = Math.max(0, Math.floor(list.scrollTop / ROW) - 4), last = Math.min(shown.length, first + Math.ceil(list.clientHeight / ROW) + 8);
    rows.style.height = shown.length * ROW + 'px';
    rows.replaceChildren();
    rows.start = first + 1;
    for (let i = first; i < last; i++) {
      const item = shown[i], row = html(rows, 'li'), button = html(row, 'button', undefined, item.group);
      row.style.top = i * ROW + 'px';
      button.type = 'button';
      if (i === current) button.setAttribute('aria-current', 'true');
      html(button, 'time', story.seconds(item.at));
      html(button, 'span', item.text).title = item.text;
      button.addEventListener('click', () => onPick(item));
    }
    if (!shown.length) html(rows, 'li', 'none', 'none');
  }
  list.addEventListener('scroll', fill);
  for (const side of ['pointerdown', 'wheel', 'keydown']) list.addEventListener(side, () => { held = Date.now(); }, { passive: true });
  function mark(events) {
    let low = 0, high = shown.length;
    while (low < high) { const middle = (low + high) >> 1; if (shown[middle].event < events) low = middle + 1; else high = middle; }
    if (low - 1 === current) return;
    current = low - 1;
    const top = current * ROW;
    // Who is reading the list is left alone.
    if (Date.now() - held > 3000 && (top < list.scrollTop || top > list.scrollTop + list.clientHeight - 2 * ROW)) list.scrollTop = Math.max(0, top - list.clientHeight / 2);
    fill();
  }
  function choose(name, events) {
    group = name;
    shown = name ? story.notable.filter((item) => item.group === name) : story.notable;
    for (const b of byId('tabs').children) b.setAttribute('aria-pressed', String(b.dataset.group === name));
    current = -2; list.scrollTop = 0; held = 0;
    mark(events());
  }
  function startList(pick, events) {
    onPick = pick;
    for (const [name, label] of groups) {
      const n = name ? story.notable.filter((item) => item.group === name).length : story.notable.length;
      const b = html(byId('tabs'), 'button', label + ' ' + n);
      b.type = 'button'; b.dataset.group = name; b.disabled = n === 0 && name !== '';
      b.addEventListener('click', () => choose(name, events));
    }
    choose('', events);
  }

  // The table has a strip of the last entries of each log, below each other by index.
  const CELLS = 34, SIZE = 15;
  const lines = m.nodes.map((node) => {
    const row = html(byId('nodes').tBodies[0], 'tr'), cells = {};
    const head = html(row, 'th', node.name);
    head.scope = 'row';
    for (const name of ['state', 'term', 'leader', 'last', 'durable', 'commit', 'applied']) cells[name] = html(row, 'td', '', name === 'state' || name === 'leader' ? '' : 'n');
    const strip = make(html(row, 'td', undefined, 'cells'), 'svg', { viewBox: '0 0 ' + CELLS * SIZE + ' 22', width: CELLS * SIZE, height: 22, role: 'img' });
    const boxes = [];
    for (let i = 0; i < CELLS; i++) {
      const g = make(strip, 'g', { transform: 'translate(' + i * SIZE + ' 2)' });
      boxes.push({ g, box: make(g, 'rect', { width: SIZE - 2, height: 13, rx: 2 }), bar: make(g, 'rect', { y: 15, width: SIZE - 2, height: 3, class: 'bar' }), tick: make(g, 'circle', { cx: SIZE / 2 - 1, cy: 6.5, r: 2.2, class: 'tick' }) });
    }
    return { row, cells, strip, boxes };
  });
  function table(state) {
    const last = Math.max(...state.nodes.map((s) => s.in ? s.last : 0)), first = Math.max(1, last - CELLS + 1);
    say(byId('range'), last ? 'Entries ' + first + ' to ' + Math.max(last, first) : 'Entries');
    state.nodes.forEach((s, i) => {
      const l = lines[i], is = stage.condition(s);
      set(l.row, 'class', /^[a-z-]+$/.test(is) ? is : '');
      say(l.cells.state, is === 'absent' ? 'no member' : is);
      say(l.cells.leader, !s.up || s.leader === m.NONE ? '-' : m.nameOf(s.leader));
      for (const name of ['term', 'last', 'durable', 'commit', 'applied']) say(l.cells[name], is === 'absent' ? '-' : String(s[name]));
      set(l.strip, 'aria-label', 'entries ' + first + ' to ' + Math.max(s.last, first) + ', committed up to ' + s.commit);
      l.boxes.forEach((b, k) => {
        const place = first + k, there = s.in && place <= s.last, term = m.termAt(s, place);
        set(b.g, 'class', there ? 'entry ' + hue(term) + (place <= s.durable ? ' durable' : ' volatile') + (place <= s.commit ? ' committed' : '') + (place <= s.applied ? ' applied' : '') : 'entry none');
      });
    });
  }

  // The track is the whole run: who led, when clients were answered, and faults.
  const track = byId('track'), WIDE = 1200, HIGH = 76;
  const x = (time) => time / m.duration * WIDE;
  const svg = make(track, 'svg', { viewBox: '0 0 ' + WIDE + ' ' + HIGH, preserveAspectRatio: 'none', 'aria-hidden': 'true' });
  const names = html(track, 'div', undefined, 'names'); // HTML: text of the SVG would be stretched
  make(svg, 'rect', { class: 'none', x: 0, y: 20, width: WIDE, height: 18 });
  for (const r of story.reigns) {
    const wide = Math.max(x(r.to) - x(r.from), 1.5);
    // One that begins while another still believes that it leads has half the height.
    const second = story.reigns.some((o) => o !== r && o.from <= r.from && o.to > r.from && o.term < r.term);
    make(svg, 'rect', { class: 'reign ' + hue(r.term), x: x(r.from).toFixed(2), y: second ? 30 : 20, width: wide.toFixed(2), height: second ? 8 : 18 });
    if (wide < 46 || second) continue;
    const label = html(names, 'span', m.nameOf(r.node) + ', term ' + r.term);
    label.style.left = 100 * r.from / m.duration + '%';
    label.style.width = 100 * (r.to - r.from) / m.duration + '%';
  }
  (function faults() {
    for (const f of story.faults) {
      if (f.lasts) make(svg, 'rect', { class: 'fault', x: x(f.from).toFixed(2), y: 10, width: Math.max(x(f.to) - x(f.from), 2).toFixed(2), height: 6 });
      make(svg, 'rect', { class: 'fault strong', x: (x(f.from) - 1.5).toFixed(2), y: 4, width: 3, height: 14 });
    }
    for (const v of story.notable) if (v.group === 'violation') make(svg, 'rect', { class: 'violation', x: (x(v.at) - 2).toFixed(2), y: 0, width: 4, height: HIGH });
  })();
  (function clients() {
    const BINS = 300, bins = new Array(BINS).fill(0);
    for (let i = 0; i < m.count; i++) if (m.kindOf(i) === 'return' && m.textOf(i) === 'done') bins[Math.min(BINS - 1, Math.floor(m.at[i] / m.duration * BINS))]++;
    const most = Math.max(1, ...bins);
    for (const o of story.outages) make(svg, 'rect', { class: 'outage', x: x(o.from).toFixed(2), y: 42, width: Math.max(x(o.to) - x(o.from), 2).toFixed(2), height: 30 });
    let d = '';
    bins.forEach((n, i) => { if (n) d += 'M' + (i * WIDE / BINS).toFixed(1) + ' 72v-' + (30 * n / most).toFixed(1) + 'h' + (WIDE / BINS - 0.6).toFixed(1) + 'V72Z'; });
    make(svg, 'path', { class: 'answers', d });
  })();
  const head = html(track, 'div', undefined, 'head');
  function playhead(time) {
    head.style.left = 100 * time / m.duration + '%';
    set(track, 'aria-valuenow', (time / 1e9).toFixed(4));
    set(track, 'aria-valuetext', story.seconds(time));
  }
  set(track, 'aria-valuemax', (m.duration / 1e9).toFixed(4));
  return { startList, mark, table, playhead, track, byId, html };
})();
