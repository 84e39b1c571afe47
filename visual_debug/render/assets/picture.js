// The picture: boxes and arrows at the coordinates that the data gives. A step changes texts and classes only.

const SVG = "http://www.w3.org/2000/svg";
const canvas = document.getElementById("canvas");
const picture = { boxes: [], arrows: [], below: [], view: { x: 0, y: 0, k: 1 }, written: [], focus: 0 };

function shape(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

function buildPicture() {
  const sheet = data.sheets[state.sheet];
  const root = shape("svg", { role: "group", "aria-label": `${state.sheet} of ${data.function}` });
  const world = shape("g", { class: "world" });
  picture.root = root;
  picture.world = world;
  picture.arrows = sheet.arrows.map(([tail, head, position, line, corners], i) => {
    const g = shape("g", { class: "arrow" });
    const [start, ...rest] = line.split(" ");
    g.append(shape("path", { d: `M${start}C${rest.join(" ")}` }), shape("polygon", { points: corners }));
    const times = sheet.counts ? `, ${sheet.counts[i].toLocaleString("en")} times` : "";
    g.append(shape("title", {}, `operand ${position + 1}${times}`));
    world.append(g);
    return g;
  });
  picture.below = sheet.boxes.map(() => []);
  const above = new Array(sheet.boxes.length).fill(0);
  for (const [tail, head] of sheet.arrows) {
    picture.below[head].push(tail);
    above[tail] += 1;
  }
  picture.tops = above.flatMap((n, i) => (n ? [] : [i]));
  picture.boxes = sheet.boxes.map((box, i) => buildBox(sheet, box, i, world));
  picture.written = [];
  root.append(world);
  canvas.replaceChildren(root);
  root.addEventListener("wheel", wheel, { passive: false });
  root.addEventListener("pointerdown", drag);
  moveFocus(0, false);
  fold();
}

function buildBox(sheet, [node, x, y, width, height], i, world) {
  const g = shape("g", { class: "box", transform: `translate(${x} ${y})`, tabindex: "-1", role: "button" });
  g.append(shape("rect", { x: -width / 2, y: -height / 2, width, height, rx: 8 }));
  const lines = Math.round((height - 12) / 18);
  const texts = ["label", "value", "adjoint"];
  const written = isSummary() ? sheet.rows[node].lines.filter((line) => line) : new Array(lines).fill("");
  const parts = written.map((line, n) => {
    const kind = isSummary() ? (n ? "value" : "label") : texts[n];
    const text = shape("text", { class: kind, y: -height / 2 + 6 + 18 * (n + 0.72) }, cut(line, WIDEST));
    g.append(text);
    return text;
  });
  const mark = shape("g", { class: "fold", transform: `translate(${width / 2 - 2} ${height / 2 - 2})` });
  if (!isSummary() && picture.below[i].length) {
    mark.append(shape("circle", { r: 7 }), shape("text", { y: 4 }, "−"),
      shape("title", {}, "collapse or expand what it was computed from (c)"));
    mark.addEventListener("click", (event) => { event.stopPropagation(); toggle(i); });
    g.append(mark);
  }
  g.addEventListener("click", () => { moveFocus(i, false); select(node); });
  g.addEventListener("keydown", (event) => boxKey(event, i, node));
  world.append(g);
  return { g, parts, mark, node, x, y, width, height };
}

// ---- steps

function showPicture() {
  if (isSummary()) return markSelected();
  const { lit, active } = touched(state.step);
  const bright = new Set(lit);
  const bad = new Set(nodes.bad);
  const sheet = data.sheets[state.sheet];
  picture.boxes.forEach(({ g, parts, node, }, i) => {
    const value = nodes.leaf[node] && nodes.label[node] === nodes.text[node] ? "" : valueAt(node, state.step);
    const adjoint = adjointAt(node, state.step, false);
    const strong = strength(node);
    const classes = ["box", nodes.leaf[node] ? "leaf" : "op"];
    if (bright.has(node)) classes.push("lit");
    if (active === node) classes.push("active");
    if (state.selected === node) classes.push("selected");
    if (state.collapsed[state.sheet].has(i)) classes.push("collapsed");
    if (bad.has(node) && (value || adjoint)) classes.push("bad");
    if (state.found && state.found.has(node)) classes.push("found");
    const key = [classes.join(" "), value, adjoint, strong].join("\n");
    if (picture.written[i] === key) return;
    picture.written[i] = key;
    g.setAttribute("class", classes.join(" "));
    const texts = [nodes.label[node], value, adjoint && `∂ ${adjoint}`];
    parts.forEach((part, n) => { part.textContent = cut(texts[n] || "", WIDEST); });
    if (parts.length === 2 && !value && adjoint) parts[1].textContent = cut(texts[2], WIDEST);
    g.setAttribute("aria-label", `${nodes.label[node]}${value && `, value ${value}`}${adjoint && `, adjoint ${adjoint}`}`);
    if (strong === null || state.colour === "kind") g.style.removeProperty("--strength");
    else g.style.setProperty("--strength", `${Math.round(Math.abs(strong) * 100)}%`);
    g.classList.toggle("coloured", strong !== null && state.colour !== "kind");
    g.classList.toggle("negative", strong !== null && strong < 0);
  });
  sheet.arrows.forEach(([tail, head], i) => {
    const flows = active !== null && sheet.boxes[head][0] === active && bright.has(sheet.boxes[tail][0]);
    picture.arrows[i].classList.toggle("flow", flows);
  });
}

function markSelected() {
  picture.boxes.forEach(({ g, node }) => {
    const row = data.sheets.summary.rows[node];
    const kind = row.op === "input" || row.op === "const" ? "leaf" : "op";
    const found = state.foundRows && state.foundRows.has(node);
    g.setAttribute("class", `box ${kind}${row.bad ? " bad" : ""}${found ? " found" : ""}${state.selected === node ? " selected" : ""}`);
    g.setAttribute("aria-label", row.lines.filter((line) => line).join(", "));
  });
}

// ---- collapsing

function toggle(i) {
  const set = state.collapsed[state.sheet];
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
  picture.boxes.forEach(({ g, mark }, i) => {
    g.toggleAttribute("hidden", !seen[i]);
    g.setAttribute("aria-expanded", String(!set.has(i)));
    const sign = mark.querySelector("text");
    if (sign) sign.textContent = set.has(i) ? "+" : "−";
  });
  data.sheets[state.sheet].arrows.forEach(([tail, head], i) => {
    picture.arrows[i].toggleAttribute("hidden", !(seen[tail] && seen[head]) || set.has(head));
  });
  document.getElementById("unfold").disabled = !set.size;
}

// ---- keyboard within the picture: one box can be tabbed to, arrows up and down follow the graph

function moveFocus(i, really) {
  const before = picture.boxes[picture.focus];
  if (before) before.g.setAttribute("tabindex", "-1");
  picture.focus = i;
  const box = picture.boxes[i];
  if (!box) return;
  box.g.setAttribute("tabindex", "0");
  if (really) {
    box.g.focus({ preventScroll: true });
    intoView(i);
  }
}

function boxKey(event, i, node) {
  const sheet = data.sheets[state.sheet];
  if (event.key === "Enter") select(node);
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

// ---- pan and zoom

function place() {
  const { x, y, k } = picture.view;
  picture.world.setAttribute("transform", `translate(${x} ${y}) scale(${k})`);
}

function fit() {
  const { width, height } = data.sheets[state.sheet];
  const room = canvas.getBoundingClientRect();
  const whole = Math.min(room.width / (width + 16), room.height / (height + 16));
  const k = Math.min(Math.max(whole, 0.02), Math.max(1, room.width / 1400));
  picture.view = { k, x: (room.width - width * k) / 2, y: Math.max((room.height - height * k) / 2, 8) };
  place();
}

// The first sight: the whole picture where it can be read so, else its top, or what is selected, at a legible size.
function firstSight() {
  fit();
  if (picture.view.k < 0.55) {
    const room = canvas.getBoundingClientRect();
    picture.view.k = 0.8;
    const top = picture.boxes[picture.tops[picture.tops.length - 1]];
    if (top) picture.view = { k: 0.8, x: room.width / 2 - top.x * 0.8, y: 12 - (top.y - top.height / 2) * 0.8 };
    place();
  }
}

function zoom(factor, x, y) {
  const view = picture.view;
  const room = canvas.getBoundingClientRect();
  const [cx, cy] = [x ?? room.width / 2, y ?? room.height / 2];
  const k = Math.min(Math.max(view.k * factor, 0.02), 8);
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
    picture.view = { k, x: room.width / 2 - box.x * k, y: room.height / 2 - box.y * k };
    place();
  }
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
  intoView(i);
}
