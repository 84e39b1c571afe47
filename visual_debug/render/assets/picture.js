// The picture: boxes and arrows at the coordinates that the data gives. A step changes texts and classes only.

const SVG = "http://www.w3.org/2000/svg";
const canvas = document.getElementById("canvas");
const picture = { boxes: [], arrows: [], below: [], view: { x: 0, y: 0, k: 1 }, focus: 0, now: null, sight: null }; // sight: what the view shows of itself, until a user moves it

function shape(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

function buildPicture() {
  const sheet = data.sheets[state.sheet];
  const root = shape("svg", { role: "group", "aria-label": `${state.sheet} of ${data.function}` });
  picture.root = root;
  picture.world = shape("g", {});
  picture.layers = { arrows: shape("g", { "aria-hidden": "true" }), boxes: shape("g", {}) };
  picture.below = sheet.boxes.map(() => []);
  const above = new Array(sheet.boxes.length).fill(0);
  for (const [tail, head] of sheet.arrows) {
    picture.below[head].push(tail);
    above[tail] += 1;
  }
  picture.tops = above.flatMap((n, i) => (n ? [] : [i]));
  picture.boxes = sheet.boxes.map(([node, x, y, width, height]) => ({ node, x, y, width, height, g: null, on: false }));
  const all = [...sheet.arrows, ...(sheet.back || [])];
  picture.arrows = all.map((drawn, i) => ({ tail: drawn[0], head: drawn[1], drawn, back: i >= sheet.arrows.length, g: null, on: false }));
  picture.bad = new Set(isSummary() ? [] : nodes.bad);
  picture.world.append(picture.layers.arrows, picture.layers.boxes);
  root.append(picture.world);
  canvas.replaceChildren(root);
  root.addEventListener("wheel", wheel, { passive: false });
  root.addEventListener("pointerdown", drag);
  picture.focus = picture.tops[picture.tops.length - 1] ?? 0;
  fold();
}

// Only what is in sight is in the document: a browser takes seconds to set thousands of texts.
function cull() {
  const room = canvas.getBoundingClientRect();
  const { x, y, k } = picture.view;
  const [left, right] = [(-x) / k - 40, (room.width - x) / k + 40];
  const [top, bottom] = [(-y) / k - 40, (room.height - y) / k + 40];
  picture.world.classList.toggle("far", k < 0.2);
  picture.boxes.forEach((box, i) => {
    const inside = picture.seen[i] && box.x + box.width / 2 > left && box.x - box.width / 2 < right
      && box.y + box.height / 2 > top && box.y - box.height / 2 < bottom;
    if (inside && !box.g) buildBox(box, i);
    if (inside === box.on) return;
    box.on = inside;
    if (inside) {
      picture.layers.boxes.append(box.g);
      paint(box, i);
    } else box.g.remove();
  });
  picture.arrows.forEach((arrow, i) => {
    const [tail, head] = [picture.boxes[arrow.tail], picture.boxes[arrow.head]];
    const inside = picture.seen[arrow.tail] && picture.seen[arrow.head] && !state.collapsed[state.sheet].has(arrow.head)
      && Math.max(tail.y, head.y) > top && Math.min(tail.y, head.y) < bottom;
    if (inside && !arrow.g) buildArrow(arrow, i);
    if (inside === arrow.on) return;
    arrow.on = inside;
    if (inside) picture.layers.arrows.append(arrow.g);
    else arrow.g.remove();
  });
}

function buildArrow(arrow, i) {
  const sheet = data.sheets[state.sheet];
  const [, , position, line, corners] = arrow.drawn;
  const [start, ...rest] = line.split(" ");
  arrow.g = shape("g", { class: arrow.back ? "arrow back" : "arrow" });
  arrow.g.append(shape("path", { d: `M${start}C${rest.join(" ")}` }), shape("polygon", { points: corners }));
  const times = sheet.counts ? `, ${sheet.counts[i].toLocaleString("en")} times` : "";
  arrow.g.append(shape("title", {}, arrow.back ? `from one pass of a loop to the next${times}` : `operand ${position + 1}${times}`));
}

function buildBox(box, i) {
  const { node, x, y, width, height } = box;
  const g = shape("g", { class: "box", transform: `translate(${x} ${y})`, tabindex: i === picture.focus ? "0" : "-1", role: "button" });
  g.append(shape("rect", { x: -width / 2, y: -height / 2, width, height, rx: 8 }));
  const lines = isSummary() ? rows[node].lines.filter((line) => line) : [];
  box.parts = Array.from({ length: Math.round((height - 12) / 18) }, (_, n) => {
    const text = shape("text", { class: !n ? "label" : isSummary() && lines[n].startsWith("∂ ") ? "adjoint" : "value", y: -height / 2 + 6 + 18 * (n + 0.72) }, (n ? fitted : cut)(lines[n] || "", WIDEST));
    g.append(text);
    return text;
  });
  box.mark = null;
  const opens = isSummary() && foldOf(node) >= 0;
  if (opens || (!isSummary() && picture.below[i].length)) {
    box.mark = shape("g", { class: "fold", transform: `translate(${width / 2 - 2} ${height / 2 - 2})` });
    box.mark.append(shape("circle", { r: 7 }), shape("text", { y: 4 }, opens ? "+" : "−"),
      shape("title", {}, opens ? "open (c)" : "collapse or expand what it was computed from (c)"));
    box.mark.addEventListener("click", (event) => { event.stopPropagation(); toggle(i); });
    g.append(box.mark);
  }
  if (opens) g.addEventListener("dblclick", () => setSheet(`fold${foldOf(node)}`));
  g.addEventListener("click", () => { moveFocus(i, false); select(node); });
  g.addEventListener("keydown", (event) => boxKey(event, i, node));
  box.g = g;
  box.written = "";
}

// ---- steps

function showPicture() {
  picture.now = isSummary() ? { bright: new Set(), active: null } : bright();
  picture.boxes.forEach((box, i) => { if (box.on) paint(box, i); });
  const { bright: lit, active } = picture.now;
  for (const arrow of picture.arrows) {
    const flows = active !== null && picture.boxes[arrow.head].node === active && lit.has(picture.boxes[arrow.tail].node);
    if (arrow.g) arrow.g.classList.toggle("flow", flows);
  }
}

function bright() {
  const { lit, active } = touched(state.step);
  return { bright: new Set(lit), active };
}

function paint(box, i) {
  if (isSummary()) paintRow(box);
  else if (picture.now) paintNode(box, i);
}

function paintNode(box, i) {
  const { g, parts, node } = box;
  const collapsed = state.collapsed[state.sheet].has(i);
  const value = nodes.leaf[node] && nodes.label[node] === nodes.text[node] ? "" : valueAt(node, state.step);
  const adjoint = adjointAt(node, state.step, false);
  const strong = state.colour === "kind" ? null : strength(node);
  const classes = ["box", nodes.leaf[node] ? "leaf" : "op"];
  const when = (holds, name) => { if (holds) classes.push(name); };
  when(strong !== null, "coloured");
  when(strong < 0, "negative");
  when(state.found && state.found.has(node), "found");
  when(picture.now.bright.has(node), "lit");
  when(picture.now.active === node, "active");
  when(picture.bad.has(node) && (value || adjoint), "bad");
  when(state.selected === node, "selected");
  when(collapsed, "collapsed");
  const key = [classes.join(" "), value, adjoint, strong].join("\n");
  if (box.written === key) return;
  box.written = key;
  g.setAttribute("class", classes.join(" "));
  const texts = [[nodes.label[node], "label"], [value, "value"], [adjoint && `∂ ${adjoint}`, "adjoint"]];
  if (parts.length < 3 && !value && adjoint) texts.splice(1, 1);
  parts.forEach((part, n) => {
    part.textContent = (n ? fitted : cut)(texts[n][0], WIDEST);
    part.setAttribute("class", texts[n][1]);
  });
  g.setAttribute("aria-label", `${nodes.label[node]}${value && `, value ${value}`}${adjoint && `, adjoint ${adjoint}`}`);
  tint(g, strong);
  if (box.mark) {
    g.setAttribute("aria-expanded", String(!collapsed));
    box.mark.querySelector("text").textContent = collapsed ? "+" : "−";
  }
}

function tint(g, strong) {
  if (strong === null) g.style.removeProperty("--strength");
  else g.style.setProperty("--strength", `${Math.round(Math.min(Math.abs(strong), 1) * 100)}%`);
}

// Whether a value comes from outside of the fold that is open.
function isFrom(row) {
  return state.sheet.startsWith("fold") && home[row] !== null && home[row] !== Number(state.sheet.slice(4));
}

function paintRow({ g, node }) {
  const row = rows[node];
  const strong = state.colour === "kind" ? null : strength(node);
  const classes = ["box", row.op === "input" || row.op === "const" ? "leaf" : "op"];
  const when = (holds, name) => { if (holds) classes.push(name); };
  when(foldOf(node) >= 0, "folded");
  when(isFrom(node), "outside");
  when(strong !== null, "coloured");
  when(strong < 0, "negative");
  when(state.foundRows && state.foundRows.has(node), "found");
  when(row.bad, "bad");
  when(state.selected === node, "selected");
  g.setAttribute("class", classes.join(" "));
  tint(g, strong);
  g.setAttribute("aria-label", row.lines.filter((line) => line).join(", "));
}

// ---- collapsing

function toggle(i) {
  const set = state.collapsed[state.sheet];
  const inner = isSummary() ? foldOf(picture.boxes[i].node) : -1;
  if (inner >= 0) setSheet(`fold${inner}`);
  if (!picture.below[i].length || isSummary()) return;
  if (!set.delete(i)) set.add(i);
  fold();
  showPicture();
}

// A box is seen if a way of boxes that are not collapsed leads to it from one that nothing uses.
function fold() {
  const seen = new Array(picture.boxes.length).fill(false);
  const work = [...picture.tops];
  const set = state.collapsed[state.sheet];
  while (work.length) {
    const i = work.pop();
    if (seen[i]) continue;
    seen[i] = true;
    if (!set.has(i)) work.push(...picture.below[i]);
  }
  picture.seen = seen;
  document.getElementById("unfold").disabled = !set.size;
  cull();
}

// ---- keyboard within the picture: one box can be tabbed to; arrows up and down follow the graph, with shift left and right go to every box

function moveFocus(i, really) {
  const before = picture.boxes[picture.focus].g;
  if (before) before.setAttribute("tabindex", "-1");
  picture.focus = i;
  intoView(i);
  picture.boxes[i].g.setAttribute("tabindex", "0");
  if (really) picture.boxes[i].g.focus({ preventScroll: true });
}

function boxKey(event, i, node) {
  const sheet = data.sheets[state.sheet];
  if (event.shiftKey && (event.key === "ArrowRight" || event.key === "ArrowLeft")) beside(i, event.key === "ArrowRight" ? 1 : -1);
  else if (event.key === "Enter") select(node);
  else if (event.key === "c") toggle(i);
  else if (event.key === "ArrowDown" && picture.below[i].some((j) => picture.seen[j])) {
    moveFocus(picture.below[i].find((j) => picture.seen[j]), true);
  } else if (event.key === "ArrowUp") {
    const arrow = sheet.arrows.find(([tail]) => tail === i);
    if (arrow) moveFocus(arrow[1], true);
  } else return;
  event.preventDefault();
  event.stopPropagation();
}

// The next box that is seen, from row to row as one reads.
function beside(i, by) {
  const order = picture.boxes.map((_, j) => j).filter((j) => picture.seen[j])
    .sort((a, b) => picture.boxes[a].y - picture.boxes[b].y || picture.boxes[a].x - picture.boxes[b].x || a - b);
  const next = order[order.indexOf(i) + by];
  if (next !== undefined) moveFocus(next, true);
}

// ---- pan and zoom

function place() {
  const { x, y, k } = picture.view;
  picture.world.setAttribute("transform", `translate(${x} ${y}) scale(${k})`);
  cull();
}

// The view that has the whole picture in it.
function whole() {
  const { width, height, left = 0 } = data.sheets[state.sheet]; // left: how far arrows reach beyond the boxes
  const room = canvas.getBoundingClientRect();
  const least = Math.min(room.width / (width + 16), room.height / (height + 16));
  const k = Math.min(Math.max(least, 0.02), Math.max(1, room.width / 1400));
  return { k, x: (room.width - width * k) / 2 - left * k, y: Math.max((room.height - height * k) / 2, 8) };
}

function fit() {
  picture.sight = fit;
  picture.view = whole();
  place();
}

// The first sight: the whole picture where it can be read so, else what is on top of it, at a legible size.
function firstSight() {
  picture.sight = firstSight;
  picture.view = whole();
  const sheet = data.sheets[state.sheet];
  const top = sheet.arrows.length ? picture.boxes[picture.tops[picture.tops.length - 1]] : picture.boxes[0];
  if (picture.view.k < 0.55 && top) {
    const room = canvas.getBoundingClientRect();
    const above = (top.y - top.height / 2) * 0.8;
    const middle = room.width / 2 - top.x * 0.8;
    const right = room.width - 12 - (sheet.width + (sheet.left || 0)) * 0.8; // where the picture ends at the right of the window
    picture.view = { k: 0.8, x: right < 12 ? Math.min(Math.max(middle, right), 12) : middle, y: 12 - (above > room.height / 3 ? above : 0) };
  }
  place();
}

function zoom(factor, x, y) {
  const view = picture.view;
  const room = canvas.getBoundingClientRect();
  const [cx, cy] = [x ?? room.width / 2, y ?? room.height / 2];
  const k = Math.min(Math.max(view.k * factor, 0.02), 8);
  picture.sight = null;
  picture.view = { k, x: cx - (cx - view.x) * k / view.k, y: cy - (cy - view.y) * k / view.k };
  place();
}

function wheel(event) {
  event.preventDefault();
  const room = canvas.getBoundingClientRect();
  zoom(Math.exp(-event.deltaY / 500), event.clientX - room.left, event.clientY - room.top);
}

function drag(event) {
  if (event.button) return;
  const from = { ...picture.view };
  const [x, y] = [event.clientX, event.clientY];
  const move = (e) => {
    picture.sight = null;
    picture.view = { ...from, x: from.x + e.clientX - x, y: from.y + e.clientY - y };
    place();
  };
  const stop = () => {
    window.removeEventListener("pointermove", move);
    window.removeEventListener("pointerup", stop);
    window.removeEventListener("pointercancel", stop);
  };
  window.addEventListener("pointermove", move);
  window.addEventListener("pointerup", stop);
  window.addEventListener("pointercancel", stop);
}

function intoView(i) {
  const box = picture.boxes[i];
  const room = canvas.getBoundingClientRect();
  const { x, y, k } = picture.view;
  const [bx, by] = [box.x * k + x, box.y * k + y];
  const [half, high] = [box.width * k / 2, box.height * k / 2];
  if (bx - half < 0 || bx + half > room.width || by - high < 0 || by + high > room.height) {
    picture.sight = null;
    picture.view = { k, x: room.width / 2 - box.x * k, y: room.height / 2 - box.y * k };
  }
  place();
}

// Bring a node's box into view; what hides it is expanded.
function reveal(node) {
  const i = picture.boxes.findIndex((box) => box.node === node);
  if (i < 0) return;
  if (!picture.seen[i]) {
    const above = picture.boxes.map(() => []);
    picture.below.forEach((list, j) => { for (const k of list) above[k].push(j); });
    const work = [i];
    const done = new Set(work);
    while (work.length) {
      for (const j of above[work.pop()]) {
        state.collapsed[state.sheet].delete(j);
        if (!done.has(j)) { done.add(j); work.push(j); }
      }
    }
    fold();
  }
  moveFocus(i, false);
}
