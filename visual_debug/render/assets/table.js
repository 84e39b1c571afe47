// The table of values, and all that is known of the node that is selected.

const values = document.getElementById("values");
const details = document.getElementById("selected");
const ROW = 1.7; // rem, the height of a row; only those in sight are in the document

let cellsOf = () => [];
let listed = []; // the node or row in each line of the table

function buildTable() {
  const heads = isSummary()
    ? ["expression", "line", "function", "times", "first", "last", "least", "greatest", "adjoints", "not finite"]
    : ["#", "operation", "value", "adjoint", "expression", "line"];
  if (isSummary()) {
    listed = state.sheet === "summary" ? expressions.map((_, i) => i) : data.sheets[state.sheet].boxes.map(([row]) => row);
    cellsOf = (i) => {
      const r = rows[i];
      const many = r.count > 1;
      return [r.lines[0], r.line, r.function, r.count.toLocaleString("en"), r.first, many ? r.last : "",
        many ? r.least : "", many ? r.most : "", r.slopes, r.bad || ""];
    };
  } else {
    listed = nodes.id.map((_, i) => i);
    cellsOf = (i) => [nodes.id[i], nodes.label[i], valueAt(i, state.step), adjointAt(i, state.step, true),
      nodes.source[i], nodes.line[i]];
  }
  const head = element("tr", {}, ...heads.map((text) => element("th", { scope: "col" }, text)));
  values.replaceChildren(element("table", { "aria-rowcount": String(listed.length + 1), class: isSummary() ? "rows" : "nodes" },
    element("caption", {}, isSummary() ? "Expressions of the source, in all passes and calls" : "Values and adjoints by now"),
    element("thead", {}, head), element("tbody")));
  values.scrollTop = 0;
}

function rowHeight() {
  return ROW * parseFloat(getComputedStyle(document.documentElement).fontSize);
}

// The first line of the table that is in the document, and the one behind the last.
function inSight() {
  const total = listed.length;
  if (total <= 60 || printing) return [0, total];
  const first = Math.max(Math.min(Math.floor(values.scrollTop / rowHeight()) - 10, total - 60), 0);
  return [first, Math.min(first + Math.ceil(values.clientHeight / rowHeight()) + 60, total)];
}

let drawn = "";
function showTable() {
  const body = values.querySelector("tbody");
  const high = rowHeight();
  const total = listed.length;
  const [first, last] = inSight();
  drawn = `${first},${last}`;
  const room = (rows) => {
    const row = element("tr", { class: "room", "aria-hidden": "true" });
    row.style.height = `${rows * high}px`;
    return row;
  };
  const shown = [];
  for (let i = first; i < last; i += 1) shown.push(tableRow(i));
  body.replaceChildren(...(first ? [room(first)] : []), ...shown, ...(last < total ? [room(total - last)] : []));
}

function tableRow(line) {
  const i = listed[line];
  const kinds = isSummary() ? ["", "", "", "", "value", "value", "value", "value", "adjoint"] : ["", "", "value", "adjoint"];
  const row = element("tr", { "aria-rowindex": String(line + 2), onclick: () => select(i) });
  cellsOf(i).forEach((text, k) => {
    row.append(element("td", { class: kinds[k] || "", title: text === null ? "" : text }, text === null ? "" : String(text)));
  });
  if (!isSummary() && born[i] > state.step) row.classList.add("later");
  if (state.selected === i) {
    row.classList.add("selected");
    row.setAttribute("aria-current", "true");
  }
  return row;
}

// Scroll the table to a row that is out of sight.
function revealRow(node) {
  const i = Math.max(listed.indexOf(node), 0);
  const high = rowHeight();
  if ((i + 1) * high < values.scrollTop || (i + 4) * high > values.scrollTop + values.clientHeight) {
    values.scrollTop = Math.max(i * high - values.clientHeight / 3, 0);
  }
  showTable();
}

// Arrows up and down go from row to row.
function tableKey(event) {
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!by || !listed.length) return;
  event.preventDefault();
  event.stopPropagation();
  const at = listed.indexOf(state.selected);
  select(listed[at < 0 ? 0 : Math.min(Math.max(at + by, 0), listed.length - 1)]);
}

let printing = false;
values.addEventListener("scroll", () => window.requestAnimationFrame(() => { if (inSight().join() !== drawn) showTable(); }));
window.addEventListener("beforeprint", () => { printing = true; showTable(); });
window.addEventListener("afterprint", () => { printing = false; showTable(); });

function link(node) {
  return element("button", { type: "button", class: "link", onclick: () => select(node) },
    `${nodes.label[node]} #${nodes.id[node]}`);
}

// A button that goes there for each; only the first few of many.
function links(list) {
  const few = [...new Set(list)].slice(0, 8).flatMap((node) => [link(node), " "]);
  return list.length > 8 ? [...few, `and ${list.length - 8} more`] : few;
}

function showDetails() {
  const chosen = state.selected;
  if (chosen === null) {
    details.replaceChildren(element("p", { class: "quiet" }, "Click a box, an expression or a row to see all of it."));
    return;
  }
  const list = element("dl");
  const say = (term, ...what) => list.append(element("dt", {}, term), element("dd", {}, ...what));
  if (isSummary()) (foldOf(chosen) < 0 ? detailsOfRow : detailsOfFold)(rows[chosen], say, chosen);
  else detailsOfNode(chosen, say);
  details.replaceChildren(list);
}

function detailsOfFold(fold, say, row) {
  say(fold.kind, fold.lines[0]);
  say("where", [fold.kind === "loop" ? fold.function : null, fold.line === null ? null : `line ${fold.line}`].filter((t) => t).join(", ") || "—");
  say("times", fold.times);
  say("operations", `${fold.count.toLocaleString("en")}: first ${fold.first}, last ${fold.last}${fold.least === null ? "" : `, from ${fold.least} to ${fold.most}`}`);
  if (fold.slopes) say("adjoints", fold.slopes);
  if (fold.bad) say("not finite", fold.bad.toLocaleString("en"));
  marksOf((mark) => mark.rows && mark.rows.text[row], say);
  say("open", element("button", { type: "button", class: "link", onclick: () => setSheet(`fold${foldOf(row)}`) }, "what is in it"));
}

function marksOf(text, say) {
  for (const mark of data.marks) if (text(mark)) say(mark.name.replace("_", " "), text(mark));
}

function detailsOfRow(row, say, number) {
  say("expression", row.lines[0]);
  say("where", `${row.function}${row.line === null ? "" : `, line ${row.line}`}`);
  say("computed", row.count === 1 ? "once" : `${row.count.toLocaleString("en")} times`);
  if (row.count === 1) say("value", row.first);
  else say("values", `first ${row.first}, last ${row.last}${row.least === null ? "" : `, from ${row.least} to ${row.most}`}`);
  if (row.slopes) say("adjoints", row.slopes);
  if (row.bad) say("not finite", row.bad.toLocaleString("en"));
  marksOf((mark) => mark.rows && mark.rows.text[number], say);
  if (!row.members.length) {
    say("open", "none of them is drawn one by one here: name some with export(…, nodes=…)");
    return;
  }
  const open = (node) => { setSheet("graph"); select(node); };
  const some = row.members.length > 8 ? [...row.members.slice(0, 4), ...row.members.slice(-4)] : row.members;
  const buttons = some.flatMap((node) => [
    element("button", { type: "button", class: "link", onclick: () => open(node) }, `#${nodes.id[node]} = ${nodes.text[node]}`), " "]);
  say("open", ...buttons);
}

function detailsOfNode(node, say) {
  say("node", `${nodes.label[node]} #${nodes.id[node]}`);
  if (nodes.source[node] && !nodes.leaf[node]) say("source", nodes.source[node]);
  const called = data.calls[nodes.call[node]];
  say("where", [called && called[0], nodes.line[node] === null ? null : `line ${nodes.line[node]}`, `call ${nodes.call[node]}`]
    .filter((text) => text).join(", "));
  say("value", valueAt(node, state.step) || "not yet");
  const adjoint = adjointAt(node, state.step, true);
  if (adjoint) say("adjoint", adjoint);
  if (nodes.pullback[node]) say("pullback", nodes.pullback[node]);
  marksOf((mark) => mark.text[node], say);
  const operands = nodes.operands[node].filter((operand) => operand >= 0);
  if (operands.length) say("computed from", ...links(operands));
  if (operands.length < nodes.operands[node].length) {
    say("not shown", `${nodes.operands[node].length - operands.length} operand(s) that are not on this page`);
  }
  if (consumers[node].length) say("used by", ...links(consumers[node]));
  const same = nodes.span[node] === null ? [] : spanNodes[nodes.span[node]].filter((n) => nodes.op[n] === nodes.op[node]);
  if (same.length > 1) {
    const at = same.indexOf(node);
    const go = (to, text) => element("button", { type: "button", onclick: () => select(same[to]), ...(to < 0 || to >= same.length ? { disabled: "" } : {}) }, text);
    say("pass", go(0, "first"), go(at - 1, "‹"), ` ${at + 1} of ${same.length} `, go(at + 1, "›"), go(same.length - 1, "last"));
  }
}
