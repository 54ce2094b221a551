(function () {
  'use strict';
  const SVG = 'http://www.w3.org/2000/svg';
  const PARTS = [['d', 'data', 'data'], ['i', 'index', 'indexes'], ['f', 'free', 'free pages'], ['o', 'other', 'not broken down']];
  const HEAD = 20; // pixels of a schema's heading
  const TINY = 12; // square pixels below which tables are drawn as one
  const groups = JSON.parse(document.getElementById('data').textContent).groups;
  const byId = (id) => document.getElementById(id);
  const map = byId('map'), canvas = byId('canvas'), crumbs = byId('crumbs'), tip = byId('tip'), find = byId('find'), found = byId('found');
  const pen = document.createElement('canvas').getContext('2d');
  let open = null, leaves = [], current = 0, drawnWidth = 0;

  for (const group of groups) {
    for (const leaf of group.leaves) {
      leaf.group = group;
      leaf.size = PARTS.reduce((sum, part) => sum + (leaf[part[0]] || 0), 0);
    }
    group.leaves.sort((a, b) => b.size - a.size);
    group.size = group.leaves.reduce((sum, leaf) => sum + leaf.size, 0);
  }
  groups.sort((a, b) => b.size - a.size);

  // IEC units, with one decimal below ten of them.
  function bytes(n) {
    let value = Math.abs(n), unit = 0;
    while (value >= 1023.5 && unit < 6) { value /= 1024; unit++; }
    const digits = unit === 0 || value >= 9.95 ? 0 : 1;
    return (n < 0 ? '-' : '') + value.toFixed(digits) + ' ' + ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'][unit];
  }
  function percent(part, all) { return all > 0 ? (100 * part / all).toFixed(part * 10 < all ? 1 : 0) + ' %' : ''; }

  function node(parent, name, attributes) {
    const made = document.createElementNS(SVG, name);
    for (const key in attributes) made.setAttribute(key, attributes[key]);
    if (parent) parent.appendChild(made);
    return made;
  }
  function html(parent, name, text) {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    parent.appendChild(made);
    return made;
  }

  // Squarified treemaps, Bruls, Huizing and van Wijk 2000: rows along the shorter side, each as long as its worst
  // aspect ratio gets better. Items come largest first; each gets x, y, w, h.
  function squarify(items, box) {
    let { x, y, w, h } = box, left = items.reduce((sum, item) => sum + item.size, 0), at = 0;
    while (at < items.length && left > 0 && w > 0 && h > 0) {
      const scale = w * h / left, side = Math.min(w, h);
      let end = at, sum = 0, best = Infinity;
      while (end < items.length) {
        const next = sum + items[end].size * scale;
        const worst = Math.max(side * side * items[at].size * scale / (next * next), next * next / (side * side * items[end].size * scale));
        if (worst > best) break;
        best = worst; sum = next; end++;
      }
      const thick = sum / side;
      let along = 0;
      for (; at < end; at++) {
        const long = items[at].size * scale / thick;
        Object.assign(items[at], w >= h ? { x: x, y: y + along, w: thick, h: long } : { x: x + along, y: y, w: long, h: thick });
        along += long;
        left -= items[at].size;
      }
      if (w >= h) { x += thick; w -= thick; } else { y += thick; h -= thick; }
    }
  }

  // What is too small to be seen becomes one leaf.
  function visible(list, area) {
    const all = list.reduce((sum, leaf) => sum + leaf.size, 0);
    const shown = list.filter((leaf) => leaf.size > 0 && leaf.size * area >= TINY * all);
    const rest = list.filter((leaf) => leaf.size > 0 && leaf.size * area < TINY * all);
    if (rest.length < 2) return shown.concat(rest);
    const one = { n: rest.length + ' smaller', group: rest[0].group, size: 0, t: [['together', rest.length + ' tables']], heap: true };
    for (const leaf of rest) {
      one.size += leaf.size;
      if (leaf.r) one.r = leaf.r.map((n, i) => n + (one.r ? one.r[i] : 0));
      for (const part of PARTS) one[part[0]] = (one[part[0]] || 0) + (leaf[part[0]] || 0);
    }
    return shown.concat([one]).sort((a, b) => b.size - a.size);
  }

  function fit(text, width, font) {
    pen.font = font + ' system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif';
    if (pen.measureText(text).width <= width) return text;
    const runes = Array.from(text);
    let low = 0, high = runes.length;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (pen.measureText(runes.slice(0, middle).join('') + '\u2026').width <= width) low = middle; else high = middle - 1;
    }
    return low < 2 ? '' : runes.slice(0, low).join('') + '\u2026';
  }

  function drawLeaf(svg, leaf) {
    const gap = leaf.w > 4 && leaf.h > 4 ? 0.5 : 0;
    const x = leaf.x + gap, y = leaf.y + gap, w = Math.max(leaf.w - 2 * gap, 0.3), h = Math.max(leaf.h - 2 * gap, 0.3);
    const g = node(svg, 'g', { class: 'leaf' + (open ? '' : ' opens'), tabindex: '-1', role: 'img', 'aria-label': spoken(leaf) });
    const wide = w >= h;
    let from = 0;
    for (const [key, kind] of PARTS) {
      const share = (leaf[key] || 0) / leaf.size;
      if (share <= 0) continue;
      node(g, 'rect', wide ? { class: kind, x: x + from * w, y: y, width: share * w, height: h } : { class: kind, x: x, y: y + from * h, width: w, height: share * h });
      from += share;
    }
    const back = leaf.r ? Math.min(Math.max(leaf.r[1] / leaf.size, 0), 1) : 0;
    if (back > 0) {
      node(g, 'rect', wide ? { class: 'reclaim', fill: 'url(#hatch)', x: x + (1 - back) * w, y: y, width: back * w, height: h }
        : { class: 'reclaim', fill: 'url(#hatch)', x: x, y: y + (1 - back) * h, width: w, height: back * h });
    }
    node(g, 'rect', { class: 'frame', x: x, y: y, width: w, height: h });
    if (w > 34 && h > 17) label(g, leaf, x, y, w, h);
    g.leaf = leaf;
    leaf.element = g;
    leaves.push(leaf);
  }

  function label(g, leaf, x, y, w, h) {
    const name = fit(leaf.n, w - 9, '600 12px');
    if (!name) return;
    node(g, 'text', { class: 'name', x: x + 5, y: y + 14 }).textContent = name;
    // A figure is drawn whole or not at all: half a number says something else.
    const lines = [[bytes(leaf.size)]];
    if (leaf.r && leaf.r[1] > 0) lines.push(['gives back ' + bytes(leaf.r[1]), '\u2212' + bytes(leaf.r[1])]);
    lines.forEach((forms, line) => {
      const text = forms.find((form) => fit(form, w - 9, '11px') === form);
      if (text && h > 31 + 14 * line) node(g, 'text', { class: 'size', x: x + 5, y: y + 28 + 14 * line }).textContent = text;
    });
  }

  function drawGroup(svg, group) {
    const g = node(svg, 'g', { class: 'group' });
    node(g, 'rect', { x: group.x, y: group.y, width: Math.max(group.w - 1, 0), height: Math.max(group.h - 1, 0) });
    const head = group.h > 3 * HEAD && group.w > 44 ? HEAD : 0, edge = group.w > 12 && group.h > 12 ? 2 : 0;
    if (head) {
      const size = bytes(group.size);
      const name = fit(group.name, group.w - 12, '600 12px');
      node(g, 'text', { class: 'name', x: group.x + 6, y: group.y + 14 }).textContent = name;
      pen.font = '600 12px system-ui';
      if (pen.measureText(name + size).width + 30 < group.w) {
        node(g, 'text', { class: 'size', x: group.x + group.w - 7, y: group.y + 14, 'text-anchor': 'end' }).textContent = size;
      }
    }
    g.addEventListener('click', () => show(group));
    const box = { x: group.x + edge, y: group.y + (head || edge), w: group.w - 1 - 2 * edge, h: group.h - 1 - edge - (head || edge) };
    drawLeaves(svg, group, box);
  }

  function drawLeaves(svg, group, box) {
    if (box.w <= 0 || box.h <= 0) return;
    const list = visible(group.leaves, box.w * box.h);
    squarify(list, box);
    for (const leaf of list) if (leaf.w > 0) drawLeaf(svg, leaf);
  }

  function draw() {
    const width = Math.max(canvas.clientWidth, 280);
    const height = Math.round(Math.max(320, Math.min(width * 0.6, window.innerHeight * 0.74)));
    drawnWidth = width;
    const svg = node(null, 'svg', { viewBox: '0 0 ' + width + ' ' + height, role: 'group', 'aria-label': open ? 'Tables of ' + open.name : 'Schemas and their tables' });
    const pattern = node(node(svg, 'defs', {}), 'pattern', { id: 'hatch', width: 7, height: 7, patternUnits: 'userSpaceOnUse', patternTransform: 'rotate(45)' });
    node(pattern, 'line', { class: 'ink', x1: 0, y1: 0, x2: 0, y2: 7 });
    leaves = [];
    hideTip();
    const box = { x: 0, y: 0, w: width, h: height };
    if (open) {
      drawLeaves(svg, open, box);
    } else {
      const list = groups.filter((group) => group.size > 0);
      squarify(list, box);
      for (const group of list) if (group.w > 0) drawGroup(svg, group);
    }
    canvas.replaceChildren(svg);
    current = 0;
    if (leaves.length) leaves[0].element.setAttribute('tabindex', '0');
    mark();
  }

  function show(group) {
    const had = canvas.contains(document.activeElement);
    open = group;
    crumbs.replaceChildren();
    const all = groups.reduce((sum, each) => sum + each.size, 0);
    if (group) {
      html(crumbs, 'button', 'All schemas').addEventListener('click', () => show(null));
      html(crumbs, 'span', ' \u203a ');
      html(crumbs, 'span', group.name);
      html(crumbs, 'span', ', ' + bytes(group.size) + ' of ' + bytes(all));
    } else {
      html(crumbs, 'span', 'All schemas, ' + bytes(all));
    }
    draw();
    if (had && leaves.length) focusOn(0);
  }

  function rows(leaf) {
    const list = [];
    for (const [key, , name] of PARTS) {
      if (leaf[key] > 0) list.push([name, bytes(leaf[key]) + ', ' + percent(leaf[key], leaf.size)]);
    }
    list.push(['total', bytes(leaf.size)]);
    if (leaf.r) list.push(['a rebuild gives back', bytes(leaf.r[1]) + ' (' + bytes(leaf.r[0]) + ' to ' + bytes(leaf.r[2]) + ')']);
    return list.concat(leaf.t || []);
  }
  function title(leaf) { return leaf.group.name + (leaf.heap ? ': ' : '.') + leaf.n; }
  function spoken(leaf) { return title(leaf) + ': ' + rows(leaf).map((row) => row[0] + ' ' + row[1]).join('; '); }

  function showTip(leaf, x, y) {
    tip.replaceChildren();
    html(tip, 'strong', title(leaf));
    const list = html(tip, 'dl');
    for (const [name, value] of rows(leaf)) { html(list, 'dt', name); html(list, 'dd', value); }
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    tip.style.left = Math.max(6, x + 16 + box.width > window.innerWidth ? x - 16 - box.width : x + 16) + 'px';
    tip.style.top = Math.max(6, Math.min(y + 16, window.innerHeight - box.height - 6)) + 'px';
  }
  function hideTip() { tip.hidden = true; }

  // On the HTML element around the SVG: browsers let Tab stop at an SVG element that listens to focus events.
  function listen() {
    const at = (event) => { const g = event.target.closest('.leaf'); return g && g.leaf; };
    canvas.addEventListener('mousemove', (event) => { const leaf = at(event); if (leaf) showTip(leaf, event.clientX, event.clientY); else hideTip(); });
    canvas.addEventListener('mouseleave', hideTip);
    canvas.addEventListener('click', (event) => { const leaf = at(event); if (leaf && !open) show(leaf.group); });
    canvas.addEventListener('keydown', onKey);
    canvas.addEventListener('focusin', (event) => {
      const leaf = at(event);
      if (!leaf || !leaf.element.matches(':focus-visible')) return;
      const box = leaf.element.getBoundingClientRect();
      showTip(leaf, box.left + Math.min(box.width, 60), box.top + Math.min(box.height, 40));
    });
    canvas.addEventListener('focusout', hideTip);
  }

  function focusOn(index) {
    leaves[current].element.setAttribute('tabindex', '-1');
    current = index;
    const g = leaves[current].element;
    g.setAttribute('tabindex', '0');
    g.focus({ focusVisible: true });
    g.scrollIntoView({ block: 'nearest' });
  }

  // The nearest leaf in a direction: what lies aside counts three times.
  function neighbour(dx, dy) {
    const here = leaves[current];
    let best = -1, least = Infinity;
    leaves.forEach((leaf, index) => {
      const x = leaf.x + leaf.w / 2 - here.x - here.w / 2, y = leaf.y + leaf.h / 2 - here.y - here.h / 2;
      const ahead = x * dx + y * dy, aside = Math.abs(x * dy) + Math.abs(y * dx);
      if (index !== current && ahead > 0.5 && ahead + 3 * aside < least) { least = ahead + 3 * aside; best = index; }
    });
    return best;
  }

  function onKey(event) {
    const index = leaves.findIndex((leaf) => leaf.element === event.target.closest('.leaf'));
    if (index < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    current = index;
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    let to = -1;
    if (step) to = neighbour(step[0], step[1]);
    else if (event.key === 'Home') to = 0;
    else if (event.key === 'End') to = leaves.length - 1;
    else if (event.key === 'Enter' || event.key === ' ') { if (!open) show(leaves[index].group); }
    else return;
    event.preventDefault();
    if (to >= 0) focusOn(to);
  }

  // Marks what the search finds; all is as it was without one.
  function mark() {
    const text = find.value.trim().toLowerCase();
    let hits = 0;
    const holds = (leaf) => title(leaf).toLowerCase().includes(text);
    for (const group of groups) for (const leaf of group.leaves) if (text && holds(leaf)) hits++;
    for (const leaf of leaves) {
      const hit = text !== '' && holds(leaf);
      leaf.element.classList.toggle('hit', hit);
      leaf.element.classList.toggle('dim', text !== '' && !hit);
    }
    found.textContent = text ? hits + ' found' : '';
  }

  find.addEventListener('input', mark);
  find.addEventListener('keydown', (event) => {
    const hit = leaves.findIndex((leaf) => leaf.element.classList.contains('hit'));
    if (event.key === 'Enter' && hit >= 0) { event.preventDefault(); focusOn(hit); }
  });
  document.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    if (!tip.hidden) hideTip();
    if (open) show(null);
  });
  new ResizeObserver(() => { if (Math.abs(canvas.clientWidth - drawnWidth) > 1) draw(); }).observe(canvas);
  listen();
  map.hidden = false;
  show(null);
})();
