(() => {
  'use strict';
  const root = document.currentScript.closest('.ecdeploy-graph');
  const { items, edges } = JSON.parse(root.querySelector('script[type="application/json"]').textContent);
  const svg = root.querySelector('svg');
  const about = root.querySelector('aside');
  const search = root.querySelector('input');
  const count = root.querySelector('output');
  const shapes = new Map([...svg.querySelectorAll('[data-at]')].map((one) => [Number(one.dataset.at), one]));
  const lines = new Map([...svg.querySelectorAll('[data-edge]')].map((one) => [Number(one.dataset.edge), one]));

  const lists = () => items.map(() => []);
  const [children, after, before, namedBy] = [lists(), lists(), lists(), lists()];
  items.forEach((item, at) => {
    if (item.parent !== null) children[item.parent].push(at);
    item.names.forEach((other) => namedBy[other].push(at));
  });
  edges.forEach(([from, to], edge) => {
    after[from].push([to, edge]);
    before[to].push([from, edge]);
  });

  const within = (at) => [at, ...children[at].flatMap(within)];
  // Those beside which something stands for all of them: machines in a fleet, rules and doors in what they belong to.
  const group = (at) => {
    const parent = items[at].parent;
    return parent !== null && shapes.get(parent).matches('.fleet') ? parent : null;
  };
  /** Everything that comes to an item and that it leads to, and the lines between. */
  const related = (at) => {
    const [on, ways] = [new Set(within(at)), new Set()];
    for (const next of [after, before]) {
      const open = [...within(at), group(at)].filter((one) => one !== null);
      const seen = new Set(open);
      while (open.length > 0) {
        for (const [other, edge] of next[open.pop()]) {
          ways.add(edge);
          if (seen.has(other)) continue;
          seen.add(other);
          // Lines lead to fleets, and on from these: with them come their machines.
          within(other).forEach((one) => on.add(one));
          open.push(other);
          if (next === before && items[other].leaf && items[other].parent !== null) {
            const parent = items[other].parent;
            if (items[parent].leaf && !seen.has(parent)) {
              seen.add(parent);
              on.add(parent);
              open.push(parent);
            }
          }
        }
      }
    }
    [...items[at].names, ...namedBy[at]].filter((other) => items[other].leaf).forEach((other) => on.add(other));
    return [on, ways];
  };

  const mark = (on, ways) => {
    svg.classList.toggle('fading', on !== null);
    shapes.forEach((shape, at) => shape.classList.toggle('on', on !== null && on.has(at)));
    lines.forEach((line, edge) => line.classList.toggle('on', on !== null && ways.has(edge)));
  };
  const element = (name, text, parent) => {
    const made = parent.appendChild(document.createElement(name));
    made.textContent = text;
    return made;
  };
  const describe = (at, x, y) => {
    const item = items[at];
    about.replaceChildren();
    element('h3', item.title, about);
    if (item.news.length > 0) {
      const list = element('ul', '', about);
      item.news.slice(0, 40).forEach((line) => element('li', line, list));
      if (item.news.length > 40) element('li', `and ${item.news.length - 40} more`, list);
    }
    if (item.fields.length > 0) {
      const list = element('dl', '', about);
      item.fields.forEach(([field, value]) => {
        element('dt', field, list);
        element('dd', value, list);
      });
    }
    about.hidden = false;
    // It is as wide as it likes only where there is room to its right.
    about.style.left = '0';
    const { width, height } = about.getBoundingClientRect();
    const place = (wanted, size, room) => Math.max(8, Math.min(wanted, room - size - 8));
    const left = x + 18 + width > innerWidth ? x - 18 - width : x + 18;
    about.style.left = `${place(left, width, innerWidth)}px`;
    about.style.top = `${place(y + 14, height, innerHeight)}px`;
  };

  let [pinned, hits, turn] = [null, null, -1];
  const tells = (at) => items[at].fields.length > 0 || items[at].news.length > 0;
  const show = (at, x, y) => {
    shapes.forEach((shape, one) => shape.classList.toggle('at', one === at && items[one].leaf));
    if (at !== null && tells(at)) describe(at, x, y);
    else about.hidden = true;
    about.classList.toggle('pinned', pinned !== null);
    if (at !== null && items[at].leaf) mark(...related(at));
    else if (hits !== null) mark(new Set(hits.flatMap(within)), new Set());
    else mark(null, null);
  };
  const center = (at) => {
    const { left, top, width, height } = shapes.get(at).getBoundingClientRect();
    return [left + width / 2, top + height / 2];
  };
  const pin = (at) => {
    pinned = at;
    if (at !== null) shapes.get(at).scrollIntoView({ block: 'nearest', inline: 'nearest' });
    show(at, ...(at === null ? [0, 0] : center(at)));
    remember();
  };

  const find = (text) => {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    const found = (item) => item.leaf && item.words !== '' && words.every((word) => item.words.includes(word));
    hits = words.length === 0 ? null : items.flatMap((item, at) => (found(item) ? [at] : []));
    turn = -1;
    shapes.forEach((shape, at) => shape.classList.toggle('hit', hits !== null && hits.includes(at)));
    count.textContent = hits === null ? '' : hits.length === 1 ? '1 found' : `${hits.length} found`;
    pinned = null;
    show(null, 0, 0);
  };

  // A link may search, #q=user, or point at something, #at=instance.user-1.
  const remember = () => {
    const parts = new URLSearchParams();
    if (search.value) parts.set('q', search.value);
    if (pinned !== null) parts.set('at', items[pinned].title);
    const hash = parts.toString();
    try {
      history.replaceState(null, '', hash ? `#${hash}` : location.pathname + location.search);
    } catch { /* A page from nowhere has no address to write to. */ }
  };
  const recall = () => {
    const parts = new URLSearchParams(location.hash.slice(1));
    search.value = parts.get('q') ?? '';
    find(search.value);
    const at = items.findIndex((item) => item.leaf && item.title === parts.get('at'));
    if (at >= 0) pin(at);
  };

  shapes.forEach((shape, at) => {
    const item = items[at];
    if (item.leaf) shape.classList.add('leaf-item');
    if (item.leaf && tells(at)) {
      shape.setAttribute('tabindex', '0');
      shape.setAttribute('aria-label', [item.title, ...item.news.slice(0, 3)].join(', '));
      shape.addEventListener('focus', () => { if (pinned === null) show(at, ...center(at)); });
      shape.addEventListener('blur', () => { if (pinned === null) show(null, 0, 0); });
    }
  });
  const under = (event) => {
    const shape = event.target.closest('[data-at]');
    return shape === null ? null : Number(shape.dataset.at);
  };
  svg.addEventListener('pointermove', (event) => { if (pinned === null) show(under(event), event.clientX, event.clientY); });
  svg.addEventListener('pointerleave', () => { if (pinned === null) show(null, 0, 0); });
  svg.addEventListener('click', (event) => {
    const at = under(event);
    pin(at !== null && at !== pinned && items[at].leaf ? at : null);
  });
  search.addEventListener('input', () => { find(search.value); remember(); });
  search.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && hits !== null && hits.length > 0) {
      turn = (turn + (event.shiftKey ? hits.length - 1 : 1)) % hits.length;
      pin(hits[turn]);
    }
  });
  addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    if (pinned !== null) pin(null);
    else if (search.value) { search.value = ''; find(''); remember(); }
  });
  addEventListener('hashchange', recall);
  recall();
})();
