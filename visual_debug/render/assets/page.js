// The page as a whole: what the user does, and what is shown again for it.

const by = (id) => document.getElementById(id);
const slider = by("slider");
const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
let timer = null;

function show() {
  slider.value = state.step;
  const title = isSummary() ? foldTitle() : titleOf(state.step);
  by("title").replaceChildren(...(isSummary() ? [title] : said(title)));
  slider.setAttribute("aria-valuetext", isSummary() ? title : `step ${state.step} of ${data.steps.length - 1}: ${title}`);
  for (const id of ["first", "back", "play", "forward", "last", "slider"]) by(id).disabled = isSummary();
  by("legend").textContent = legend();
  showPicture();
  showListing();
  showTable();
  showDetails();
}

// The title of a step, with the word for the pass in its colour.
function said(title) {
  const [, word, rest] = /^(forward|reverse|seed|)(.*)$/s.exec(title);
  const pass = element("span", { class: word === "seed" ? "reverse" : word }, word);
  return [element("span", { class: "step" }, `${state.step} / ${data.steps.length - 1}  `), pass, rest];
}

function foldTitle() {
  if (state.sheet === "summary") return "the whole trace, folded by the expressions of the source";
  if (state.sheet === "fold0") return "the whole trace, folded by loops and calls";
  const fold = folds[Number(state.sheet.slice(4))];
  return `all passes and calls of ${fold.lines[0]} together: ${fold.times}`;
}

// Where one is among the folds, from the whole to the one that is open.
function showWay() {
  const way = [];
  let at = state.sheet.startsWith("fold") ? Number(state.sheet.slice(4)) : null;
  while (at !== null) {
    way.unshift(at);
    at = folds[at].parent;
  }
  by("way").hidden = !way.length;
  by("way").replaceChildren(...way.flatMap((fold, i) => {
    const name = cut(folds[fold].lines[0], WIDEST);
    return i + 1 < way.length
      ? [element("button", { type: "button", class: "link", onclick: () => setSheet(`fold${fold}`) }, name), " › "]
      : [element("span", { "aria-current": "location" }, name)];
  }));
}

function setStep(step) {
  if (isSummary()) return;
  state.step = Math.min(Math.max(step, 0), data.steps.length - 1);
  show();
}

function setSheet(name) {
  if (!(name in data.sheets)) return;
  const before = isSummary();
  pause();
  state.sheet = name;
  by("sheet").value = name;
  if (before !== isSummary()) state.selected = null;
  rescale();
  showWay();
  buildTable();
  buildPicture();
  search();
  firstSight();
  show();
}

function select(node) {
  state.selected = node;
  if (isSummary() && !listed.includes(node)) setSheet(home[node] === null ? "summary" : `fold${home[node]}`);
  show();
  reveal(node);
  revealRow(node);
}

// ---- playing

function play() {
  if (isSummary()) return;
  if (state.step === data.steps.length - 1) setStep(0);
  timer = window.setInterval(() => {
    if (state.step === data.steps.length - 1) pause();
    else setStep(state.step + 1);
  }, calm.matches ? 1500 : 600);
  mark(true);
}

function pause() {
  if (timer !== null) window.clearInterval(timer);
  timer = null;
  mark(false);
}

function mark(playing) {
  by("play").textContent = playing ? "❚❚ pause" : "▶ play";
  by("play").setAttribute("aria-label", playing ? "Pause" : "Play");
  by("play").setAttribute("aria-pressed", String(playing));
  by("title").setAttribute("aria-live", playing ? "off" : "polite"); // every step would be read out
}

// ---- search

let at = -1;
function search() {
  const words = by("search").value.trim().toLowerCase();
  const line = /^line\s*(\d+)$/.exec(words);
  const number = /^#(\d+)$/.exec(words);
  const hit = (label, name, op, source, text, where, id) => {
    if (line) return where === Number(line[1]);
    if (number) return id === Number(number[1]);
    return [label, name, op, source, text].some((t) => t && String(t).toLowerCase().includes(words));
  };
  let found = [];
  if (words && isSummary()) {
    found = rows.flatMap((r, i) =>
      (hit(r.lines[0], r.name, r.op || r.kind, r.function, `${r.first} ${r.last}`, r.line, null)
        || (number && (r.members || []).some((node) => nodes.id[node] === Number(number[1]))) ? [i] : []));
  } else if (words) {
    found = nodes.id.flatMap((id, i) =>
      (hit(nodes.label[i], nodes.name[i], nodes.op[i], nodes.leaf[i] ? "" : nodes.source[i], nodes.text[i], nodes.line[i], id) ? [i] : []));
  }
  state.matches = found;
  state.found = isSummary() ? null : new Set(found);
  state.foundRows = isSummary() ? new Set(found) : null;
  at = -1;
  by("matches").textContent = !words ? "" : found.length || !number || Number(number[1]) >= data.total ? `${found.length} found`
    : `#${number[1]} is none of the nodes on this page`;
}

function goTo() {
  if (!state.matches || !state.matches.length) return;
  at = (at + 1) % state.matches.length;
  select(state.matches[at]);
  by("matches").textContent = `${at + 1} of ${state.matches.length}`;
}

// ---- keys and buttons

function key(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const on = event.target;
  const typing = on.matches("input[type=search], select");
  const pressing = on.matches("button") && event.key === " ";
  if (typing || pressing) return;
  const acts = {
    ArrowLeft: () => setStep(state.step - 1),
    ArrowRight: () => setStep(state.step + 1),
    Home: () => setStep(0),
    End: () => setStep(data.steps.length - 1),
    " ": () => (timer === null ? play() : pause()),
    "+": () => zoom(1.25),
    "-": () => zoom(0.8),
    0: fit,
    "/": () => by("search").focus(),
    Escape: () => { if (!by("way").hidden && by("way").children.length > 1) [...by("way").querySelectorAll("button")].pop().click(); },
  };
  if (!(event.key in acts)) return;
  event.preventDefault();
  acts[event.key]();
}

function heading() {
  by("heading").textContent = data.function;
  const notes = [`${data.total.toLocaleString("en")} value${data.total === 1 ? "" : "s"}`];
  if (data.ended) notes.push(data.ended);
  if (!data.whole) {
    notes.push(`${count.toLocaleString("en")} of them one by one: ${data.named ? "those that were named" : "those nearest to the result, and the first and last of each expression"}`);
  }
  if (data.unfolded) notes.push(data.unfolded);
  if (!data.reverse) notes.push(data.ended ? "no reverse pass" : "no reverse pass: the result is no single number");
  if (data.stopped) notes.push(`the reverse pass stops: ${data.stopped}`);
  by("note").textContent = notes.join(" · ");
  const names = { graph: data.whole ? "graph" : "graph of a part", tree: "tree", summary: "expressions" };
  const deep = (fold) => (folds[fold].parent === null ? 0 : 1 + deep(folds[fold].parent));
  folds.forEach((fold, i) => { names[`fold${i}`] = `${"\u2003".repeat(deep(i))}${i ? cut(fold.lines[0], WIDEST) : "loops and calls"}`; });
  for (const name of Object.keys(data.sheets)) by("sheet").append(element("option", { value: name }, names[name]));
  by("sheet").value = state.sheet;
  slider.max = data.steps.length - 1;
}

// Reports of diagnoses; to open one colours the page by it.
function buildDiagnoses() {
  data.marks.forEach(({ name, report, weight }, i) => {
    const label = name.replace("_", " ");
    const points = weight.filter((w) => w !== null).length;
    by("colour").append(element("option", { value: `mark${i}` }, `by ${label}`));
    const shown = element("details", { class: "diagnosis" },
      element("summary", {}, element("strong", {}, label), ` ${report.split("\n")[0]}`),
      element("pre", {}, report));
    shown.addEventListener("toggle", () => { if (shown.open && points) colourBy(`mark${i}`); });
    by("diagnoses").append(shown);
  });
  by("colour").value = state.colour;
}

function colourBy(name) {
  state.colour = name;
  by("colour").value = name;
  rescale();
  show();
}

function listen() {
  const click = (id, act) => by(id).addEventListener("click", act);
  slider.addEventListener("input", () => { pause(); setStep(Number(slider.value)); });
  click("first", () => { pause(); setStep(0); });
  click("back", () => { pause(); setStep(state.step - 1); });
  click("forward", () => { pause(); setStep(state.step + 1); });
  click("last", () => { pause(); setStep(data.steps.length - 1); });
  click("play", () => (timer === null ? play() : pause()));
  click("larger", () => zoom(1.25));
  click("smaller", () => zoom(0.8));
  click("fit", fit);
  click("next", goTo);
  click("unfold", () => { state.collapsed[state.sheet].clear(); fold(); showPicture(); });
  click("theme", () => {
    const dark = document.documentElement.dataset.theme
      ? document.documentElement.dataset.theme === "dark" : window.matchMedia("(prefers-color-scheme: dark)").matches;
    document.documentElement.dataset.theme = dark ? "light" : "dark";
  });
  by("sheet").addEventListener("change", () => setSheet(by("sheet").value));
  by("colour").addEventListener("change", () => colourBy(by("colour").value));
  by("search").addEventListener("input", () => { search(); showPicture(); });
  by("search").addEventListener("keydown", (event) => { if (event.key === "Enter") goTo(); });
  document.addEventListener("keydown", key);
  by("code").addEventListener("keydown", codeKey);
  by("values").addEventListener("keydown", tableKey);
  window.addEventListener("beforeprint", fit);
  new ResizeObserver(() => (picture.sight || cull)()).observe(canvas); // in a notebook it may have no size at first
}

heading();
showWay();
buildDiagnoses();
rescale();
buildListing();
buildTable();
buildPicture();
listen();
firstSight();
show();
document.documentElement.dataset.ready = "yes";
