// player: time, and what moves it.
const player = (function () {
  const m = model, byId = panels.byId;
  const SPEEDS = [['story ½×', 0.5, true], ['story', 1, true], ['story 2×', 2, true], ['story 4×', 4, true], ['1/10000', 1e-4], ['1/1000', 1e-3], ['1/100', 0.01], ['1/10', 0.1], ['1/5', 0.2], ['1/2', 0.5], ['real time', 1], ['5×', 5], ['20×', 20]];
  const FLIGHT = 0.45; // seconds for which a message is seen at the least
  let time = 0, events = 0, state = m.state(0), playing = false, chosen = 1, before = 0, rate = 1e8, since = 0; // since when the rate is that

  function pace() {
    const s = SPEEDS[chosen];
    if (!s[2]) return { rate: s[1] * 1e9, since: -Infinity, until: Infinity };
    const p = story.rate(time);
    return { rate: p.rate * s[1], since: p.since, until: p.until };
  }
  // least is how long messages are drawn, in nanoseconds of the run: as long as they fly where that can be seen, longer otherwise.
  function least() {
    const seen = FLIGHT * rate;
    return seen < 4 * m.usual ? 0 : playing ? seen : Math.min(seen, (m.data.heartbeat || 1e8) / 2);
  }
  // go shows the cluster after n events, at a time.
  function go(to, n) {
    time = Math.min(Math.max(to, 0), m.duration);
    events = n === undefined ? m.after(time) : n;
    state = m.state(events, state);
    ({ rate, since } = pace());
    draw();
  }
  function draw() {
    const leads = stage.draw(state, time, least(), since);
    const { say, set } = stage;
    say(byId('clock'), story.seconds(time));
    say(byId('leading'), leads < 0 ? 'no leader' : m.nameOf(leads) + ' leads term ' + state.nodes[leads].term);
    const out = story.outages.some((o) => time >= o.from && time < o.to);
    say(byId('serving'), !state.asked ? '' : 'clients: ' + state.done + ' answered, ' + state.waiting + ' waiting' + (out ? ', none answered for ' + story.lasting(time - state.lastAnswer) : ''));
    set(byId('serving'), 'class', out ? 'bad' : '');
    const list = byId('faults'), wanted = state.faults.join('\n');
    if (list.dataset.shows !== wanted) {
      list.dataset.shows = wanted;
      list.replaceChildren();
      for (const f of state.faults) panels.html(list, 'li', f);
    }
    panels.table(state);
    panels.mark(events);
    panels.playhead(time);
    say(byId('now'), events ? story.seconds(m.at[events - 1]) + '  ' + story.tell(events - 1) : 'the beginning');
  }
  function play(on) {
    if (on === playing) return;
    playing = on;
    stage.say(byId('play'), on ? 'Pause' : 'Play');
    // What is said aloud is what was stepped to, not a torrent.
    byId('now').setAttribute('aria-live', on ? 'off' : 'polite');
    if (!on) return draw();
    if (time >= m.duration) go(0, 0);
    before = performance.now();
    requestAnimationFrame(frame);
  }
  function frame(now) {
    if (!playing) return;
    let left = Math.min((now - before) / 1000, 0.1);
    before = now;
    while (left > 0 && time < m.duration) {
      const p = pace(), can = (p.until - time) / p.rate;
      rate = p.rate; since = p.since;
      time = can <= left ? p.until : time + left * p.rate;
      left -= Math.min(can, left);
      if (can <= 0) time += 1;
    }
    time = Math.min(time, m.duration);
    events = m.after(time);
    state = m.state(events, state);
    draw();
    if (time >= m.duration) play(false);
    else requestAnimationFrame(frame);
  }

  const hidden = (i) => m.message[i] !== m.NONE && !stage.visible[m.classes[m.message[i]]];
  function step(by) {
    play(false);
    let n = events + by;
    while (n > 0 && n < m.count && hidden(n - 1)) n += by;
    n = Math.min(Math.max(n, 0), m.count);
    go(n ? m.at[n - 1] : 0, n);
  }
  // jump goes to what matters next, or before, of a group or of any.
  function jump(by, group) {
    play(false);
    const all = story.notable.filter((item) => !group || item.group === group);
    const target = by > 0 ? all.find((item) => item.event + 1 > events) : all.findLast((item) => item.event + 1 < events);
    if (target) go(target.at, target.event + 1);
    else if (!group) go(by > 0 ? m.duration : 0, by > 0 ? m.count : 0);
  }
  function speed(i) {
    chosen = Math.min(Math.max(i, 0), SPEEDS.length - 1);
    byId('speed').value = String(chosen);
    ({ rate, since } = pace());
    draw();
  }

  function press(e) {
    if (e.ctrlKey || e.metaKey || e.altKey || /^(SELECT|INPUT|PRE)$/.test(e.target.tagName) && e.target.type !== 'checkbox') return;
    const by = e.shiftKey ? -1 : 1;
    const keys = {
      ' ': () => play(!playing), ArrowRight: () => e.shiftKey ? jump(1) : step(1), ArrowLeft: () => e.shiftKey ? jump(-1) : step(-1),
      Home: () => { play(false); go(0, 0); }, End: () => { play(false); go(m.duration, m.count); }, '[': () => speed(chosen - 1), ']': () => speed(chosen + 1),
      l: () => jump(by, 'leader'), f: () => jump(by, 'fault'), v: () => jump(by, 'violation'),
    };
    const key = e.key.length === 1 ? e.key.toLowerCase() : e.key;
    if (!keys.hasOwnProperty(key)) return;
    // A button or a box that has the focus has its own use for the space bar.
    if (key === ' ' && /^(BUTTON|INPUT|SUMMARY)$/.test(e.target.tagName)) return;
    e.preventDefault();
    keys[key]();
  }
  function drag(e) {
    const box = panels.track.getBoundingClientRect();
    play(false);
    go((e.clientX - box.left) / box.width * m.duration);
  }
  function begin() {
    byId('player').hidden = false;
    const select = byId('speed'), paces = panels.html(select, 'optgroup'), fixed = panels.html(select, 'optgroup');
    paces.label = 'slow where something happens'; fixed.label = 'always alike';
    SPEEDS.forEach((s, i) => { panels.html(s[2] ? paces : fixed, 'option', s[0]).value = String(i); });
    select.addEventListener('change', () => speed(Number(select.value)));
    const clicks = {
      play: () => play(!playing), step: () => step(1), back: () => step(-1), next: () => jump(1), before: () => jump(-1), first: () => { play(false); go(0, 0); },
      'jump-leader': () => jump(1, 'leader'), 'jump-fault': () => jump(1, 'fault'), 'jump-violation': () => jump(1, 'violation'),
    };
    for (const id in clicks) byId(id).addEventListener('click', clicks[id]);
    for (const group of ['leader', 'fault', 'violation']) byId('jump-' + group).disabled = !story.notable.some((item) => item.group === group);
    for (const cls of ['heartbeat', 'log', 'client']) byId('show-' + cls).addEventListener('change', (e) => { stage.visible[cls] = e.target.checked; if (cls === 'log') stage.visible.snap = e.target.checked; draw(); });
    panels.track.addEventListener('pointerdown', (e) => { panels.track.setPointerCapture(e.pointerId); drag(e); });
    panels.track.addEventListener('pointermove', (e) => { if (e.buttons) drag(e); });
    document.addEventListener('keydown', press);
    panels.startList((item) => { play(false); go(item.at, item.event + 1); }, () => events);
    speed(1);
    go(0, m.after(0));
  }
  begin();
  return { go, play, step, jump, speed, now: () => ({ time, events, playing, state }) };
})();
