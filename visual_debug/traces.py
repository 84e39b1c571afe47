"""`Trace` and `Node`: what users hold. Everything is worked out when it is asked for, once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from visual_debug import derivatives, display, structures
from visual_debug.columns import Columns
from visual_debug.errors import NoDerivativeError, StoppedError, TraceError
from visual_debug.nodes import Node
from visual_debug.replaying.echo import replayed
from visual_debug.replaying.replay import Replayed
from visual_debug.sweeps import sweep
from visual_debug.tracing.tape import Tape

if TYPE_CHECKING:
    import networkx

    from visual_debug.diagnose.cancellation import CancellationReport
    from visual_debug.diagnose.compare import Comparison
    from visual_debug.diagnose.conditioning import Condition
    from visual_debug.diagnose.evaluate import Replay
    from visual_debug.diagnose.gradcheck import GradientCheck
    from visual_debug.diagnose.health import GradientHealth
    from visual_debug.diagnose.nonfinite import NonfiniteReport
    from visual_debug.diagnose.rounding import RoundingReport
    from visual_debug.diagnose.truth import Truth
    from visual_debug.diagnose.why import Why
    from visual_debug.storage.saved import SavedTape
    from visual_debug.views.steps import Step


class NoTrace:
    """Stands for `f.trace` where there is none; whatever public is asked of it raises TraceError.

    So it is until the first call has finished, on functions that another decorator has made of a traced one and given
    its attributes, and of traces that were pickled.
    """

    def __init__(self, name: str, traces: Sequence[Trace] | None = ()) -> None:
        self.__dict__.update(_name=name, _traces=traces)

    def __reduce__(self) -> tuple[Any, ...]:
        return NoTrace, (self.__dict__["_name"], None if self.__dict__["_traces"] is None else ())

    def _refuse(self) -> TraceError:
        name, traces = self.__dict__["_name"], self.__dict__["_traces"]
        if traces is None:
            return TraceError(f"this trace of {name} was pickled, and stayed where it was made: ask it there")
        if traces:
            return TraceError(
                f"another decorator has made a function of {name}, which has no trace of its own: "
                "ask its .traces[-1], or .__wrapped__.trace"
            )
        return TraceError(f"{name} has no trace yet: call it first")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # others look here for marks of their own: copy, mock, IPython
            raise AttributeError(name)
        raise self._refuse()

    def __len__(self) -> int:
        raise self._refuse()

    def __getitem__(self, index: object) -> Any:
        raise self._refuse()

    def __iter__(self) -> Iterator[Any]:
        raise self._refuse()

    def __str__(self) -> str:
        raise self._refuse()

    def __repr__(self) -> str:
        return f"<no trace of {self.__dict__['_name']}>"


class Trace:
    """One finished call: its computation graph, its derivatives, and the pictures of both.

    Made by the decorator and by `visual_debug.trace`; nothing is computed until something is asked for.
    """

    _tape: Tape | SavedTape  # There is no `__init__`: with one, a call of a small function would be dearer by a tenth.

    def __reduce__(self) -> tuple[Any, ...]:
        return NoTrace, (self.function, None)

    def __copy__(self) -> Trace:
        return self

    def __deepcopy__(self, memo: object) -> Trace:
        return self

    # ---- what happened

    @property
    def result(self) -> Any:
        """What the call returned; None if it raised. Of a slice, the node's value.

        Of a generator the list of the numbers that it yielded, with None for anything else.
        """
        if "_replayed" in self.__dict__ and self._replayed.sliced:
            return self[len(self) - 1].value
        if self._tape.plan.yields:
            return structures.mapped(self._replayed.result, self._columns.value.__getitem__)
        return self._tape.result

    @property
    def exception(self) -> BaseException | None:
        """What the call raised, or None."""
        return self._tape.exception

    @property
    def truncated(self) -> bool:
        """Whether recording stopped at its limit before the call ended; what came after is not in the trace."""
        return self._tape.truncated

    @property
    def function(self) -> str:
        """Qualified name of the traced function."""
        return self._tape.plan.code.co_qualname

    @cached_property
    def _replayed(self) -> Replayed:
        assert isinstance(self._tape, Tape)  # one that was loaded has its columns with it
        return replayed(self._tape)

    @property
    def _columns(self) -> Columns:
        return self._replayed.columns

    def __len__(self) -> int:
        return len(self._columns)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [Node(self, i) for i in range(*index.indices(len(self)))]
        if not hasattr(index, "__index__"):
            raise TypeError(
                f"node {index!r} of a trace: give its number, a slice, or use trace.inputs and trace.find(name=…)"
            )
        if isinstance(index, Node) and index._trace is not self:
            raise TraceError(f"{index!r} is a node of another trace, of {index._trace.function}")
        position = index.__index__()
        if not -len(self) <= position < len(self):
            raise IndexError(f"node {position} of a trace of {len(self)}")
        return Node(self, position % len(self))

    def __iter__(self) -> Iterator[Node]:
        return (Node(self, i) for i in range(len(self)))

    def __bool__(self) -> bool:
        return True

    @cached_property
    def inputs(self) -> dict[str, Any]:
        """Per argument its node, or nodes in the structure of the argument; None for what is no number."""
        return {name: structures.mapped(ids, self._node) for name, ids in self._replayed.inputs.items()}

    @cached_property
    def outputs(self) -> Any:
        """The node of the result, or nodes in its structure; None for what is no number."""
        return structures.mapped(self._replayed.result, self._node)

    def _node(self, id: int) -> Node:
        return Node(self, id)

    @cached_property
    def graph(self) -> networkx.MultiDiGraph:
        """The computation graph: nodes are ids, edges run operand -> result, an edge's key is the operand's position."""
        from visual_debug.graph import build

        return build(self._columns, self._node)

    # ---- derivatives

    def grad(self, wrt: str | tuple[str, ...] | None = None, *, of: Any = None, seed: Any = None) -> Any:
        """The gradient by reverse mode.

        Args:
            wrt: an argument's name for its gradient alone, a tuple of names, or None for all.
            of: which part of the result: an index or key, a tuple of them for a nested part, or a node. Needed when
                there are several.
            seed: adjoint of the output; 1 by default, and needed in the output's shape where that is no single number.

        Returns:
            `{argument name: gradient}`, each in the structure and shape of the argument; arguments without numbers are
            left out. An argument that the output does not depend on has gradient 0.

        Raises:
            NoDerivativeError: if an operation on the way has no derivative.
            TraceError: if there is no (single) number to differentiate, or `wrt` names no argument.
        """
        return derivatives.gradient(self, wrt, of, seed)

    @cached_property
    def adjoints(self) -> Mapping[int, Any]:
        """d result / d node for every node that the (single) result depends on, by id. Raises as `grad` does."""
        return sweep.adjoints(self._columns, derivatives.seeds(self, None, None))

    def jvp(self, **tangents: Any) -> Any:
        """The tangent of the result by forward mode, in the structure of the result.

        Tangents are given per argument in its structure and shape; those not given are 0.
        Raises NoDerivativeError, and TraceError for a name that is no argument or a tangent of another structure.
        """
        return derivatives.tangent(self, tangents)

    # ---- looking

    def steps(self, *, of: Any = None, seed: Any = None) -> list[Step]:
        """Every step of both passes: the leaves, each operation forward, the seed, each contribution in reverse.

        The reverse pass needs a single number as result, or `of` / `seed` as for `grad`; without, there is none.
        """
        from visual_debug.views import steps

        return steps.steps(self._columns, self._reverse_seeds(of, seed))

    def _reverse_seeds(self, of: Any = None, seed: Any = None) -> dict[int, Any] | None:
        """Seeds of the reverse pass that is shown; None where the call has no single number as result."""
        try:
            return derivatives.seeds(self, of, seed)
        except TraceError:
            if of is not None or seed is not None:
                raise
            return None

    def tree(self, max_depth: int | None = None) -> str:
        """The result's expression tree as text, shared parts repeated; below `max_depth` levels `⋮` stands."""
        from visual_debug.render import text

        if max_depth is not None and not hasattr(max_depth, "__index__"):
            raise TypeError(f"tree(max_depth={max_depth!r}): give a number of levels")
        return text.tree(self._columns, self._shown_roots(), max_depth)

    def code(
        self,
        step: int | None = None,
        *,
        turn: str | int = "last",
        call: int = 0,
        opened: bool | Collection[int] = False,
        of: Any = None,
        seed: Any = None,
    ) -> str:
        """The source with each evaluated part replaced in place by its value, adjoints under them after the reverse pass.

        Args:
            step: which step of the code view, from 0, the bare source (negative: from the end); by default the last,
                in which both passes are over. A variable that is read is a step of its own.
            turn: which pass of each loop: `"first"`, `"last"`, `"all"` (they come one after the other), or its number
                from 0.
            call: which call's source, as `Node.call` counts them; 0 is the traced call.
            opened: whether the code of the calls it made stands below the lines that make them; or which.
            of: as for `grad`.
            seed: as for `grad`.

        Raises:
            RenderError: for a step, turn or call that there is not.
        """
        from visual_debug.render import code
        from visual_debug.views import listing, steps

        only = -1 if step is None else steps.checked(step)
        seeds = self._reverse_seeds(of, seed)
        entry = self._tape.plan.code
        shown = listing.frames(self._columns, seeds, only=only, turn=turn, call=call, opened=opened, entry=entry)
        return code.text(shown[0])

    def __str__(self) -> str:
        from visual_debug.render import text

        return text.tree(self._columns, self._shown_roots(), text.DEFAULT_DEPTH)

    def _shown_roots(self) -> list[int]:
        """What trees are drawn of: the outputs, or the operation that raised."""
        roots = list(dict.fromkeys(structures.leaves(self._replayed.result)))
        return roots or ([len(self) - 1] if self.exception is not None and len(self) else [])

    def __repr__(self) -> str:
        how = (
            f"raised {type(self.exception).__name__}" if self.exception is not None else display.value_text(self.result)
        )
        return f"<Trace of {self.function}: {how}>"

    def export(
        self,
        path: str | Path,
        *,
        view: str = "graph",
        step: int | None = None,
        of: Any = None,
        seed: Any = None,
        turn: str | int = "last",
        call: int = 0,
        opened: bool | Collection[int] = False,
        nodes: Iterable[Node | int] | None = None,
        colour: Any = None,
        theme: str = "light",
    ) -> Path:
        """Write one picture or file; the suffix of `path` picks the format.

        Args:
            path: where to write. Pictures: `.svg`, `.png`, `.pdf`, `.dot`, `.mmd` (Mermaid), `.txt`. `.html`: a page with all
                steps, source and values that needs no network. The whole trace:
                `.json`, `.graphml`, `.tex` (formula, numbers in place, result), `.trace.json` (timeline for Perfetto).
            view: `"graph"`, one box per node; `"tree"`, shared nodes repeated; `"code"`, the source with values in
                place; or `"summary"`, one box per expression of the source, with counts and ranges.
            step: index into `steps()` of the state to show; by default the last, with all values and adjoints. The
                code view has steps of its own, as for `code`.
            of: as for `grad`.
            seed: as for `grad`.
            turn: of the code view, as for `code`.
            call: of the code view, as for `code`.
            opened: of the code view, as for `code`.
            nodes: of the page of a long trace, the nodes drawn one by one; by default those nearest to the result.
            colour: what pictures and pages mark in violet: `"nonfinite"`, `"gradient_health"`, `"rounding"`,
                `"cancellations"`, `"condition"`, `"truth"`, `"why"`; a report, as `t.why(node)` or `t.compare(other)`; or a
                mapping of nodes to weights from 0 to 1, or to pairs of a weight and a text.
            theme: `"light"` or `"dark"`, of `.svg`, `.png` and `.pdf`.

        Raises:
            RenderError: for an unknown suffix, view, colour or theme, or more boxes than a picture can show.
        """
        from visual_debug.views import export

        request = export.Request(
            self, view, step, self._reverse_seeds(of, seed), turn, call, opened, nodes, colour, of, theme
        )
        return export.picture(Path(path), request)

    def export_steps(
        self,
        path: str | Path,
        *,
        view: str = "graph",
        format: str | None = None,
        of: Any = None,
        seed: Any = None,
        turn: str | int = "last",
        call: int = 0,
        opened: bool | Collection[int] = False,
        progress: Callable[[int, int], None] | None = None,
        colour: Any = None,
        theme: str = "light",
    ) -> list[Path]:
        """Draw every step into a folder of numbered pictures that share one layout; returns their paths.

        Args:
            path: the folder, made if need be; or a file that ends in `.gif`, `.svg` or `.html`, for one that plays.
            view: as for `export`, but for the summary.
            format: `"svg"` (the default), `"png"` or `"html"` in a folder; of a file its suffix says it.
            of: as for `grad`.
            seed: as for `grad`.
            turn: of the code view, as for `code`.
            call: of the code view, as for `code`.
            opened: of the code view, as for `code`.
            progress: called with (pictures drawn, pictures in all) after each.
            colour: as for `export`.
            theme: as for `export`; also of `.gif`.

        Raises:
            RenderError: as for `export`.
        """
        from visual_debug.views import export

        is_page = format == "html" or (format is None and str(path).lower().endswith(".html"))
        seeds = self._reverse_seeds(of, seed)
        request = export.Request(
            self, view, 0 if is_page else None, seeds, turn, call, opened, colour=colour, of=of, theme=theme
        )
        return export.frames(Path(path), format, request, progress)

    def _header(self) -> dict[str, Any]:
        """What is said of the whole trace where it is written as data."""
        return {
            "function": self.function,
            "result": display.value_text(self.result),
            "exception": None if self.exception is None else type(self.exception).__name__,
            "truncated": self.truncated,
            "inputs": _listed(self._replayed.inputs),
            "outputs": _listed(self._replayed.result),
        }

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None, **_options: Any) -> dict[str, str]:
        """What Jupyter shows: the interactive page, or a picture, or text."""
        from visual_debug.views import bundle

        return bundle.mimebundle(self, include, exclude)

    def save(self, path: str | Path) -> Path:
        """Write the trace to a Parquet file, which `visual_debug.load` reads back; returns the path.

        Any reader of Parquet finds a row for each node there. Objects that are no numbers, arrays or plain containers
        are saved by their `repr` only.

        Raises:
            TraceError: if the file cannot be written.
        """
        from visual_debug.storage import saved

        saved.save(Path(path), self)
        return Path(path)

    # ---- asking

    def find(
        self,
        op: str | None = None,
        name: str | None = None,
        line: int | None = None,
        where: Callable[[Node], bool] | None = None,
    ) -> list[Node]:
        """The nodes with that operation (or symbol), variable name, source line, and for which `where(node)` holds."""
        columns = self._columns
        for asked, given in (("op", op), ("name", name)):
            if given is not None and not isinstance(given, str):
                raise TypeError(f"find({asked}={given!r}): give a text")
        if line is not None and not hasattr(line, "__index__"):
            raise TypeError(f"find(line={line!r}): give the number of a line")
        if where is not None and not callable(where):
            raise TypeError(f"find(where={where!r}): give a function of a node, as lambda node: node.value > 1")
        kinds = list(range(len(columns.site.entries)))
        if line is not None:
            kinds = [k for k in kinds if columns.site.entries[k].line == line]
        if op is not None:
            kinds = [k for k in kinds if display.may_show(columns.op.entries[k], op)]
        wanted = bytearray(len(columns.site.entries))
        for k in kinds:
            wanted[k] = 1
        ids: Iterable[int] = (
            range(len(columns)) if all(wanted) else [i for i, kind in enumerate(columns.kind) if wanted[kind]]
        )
        if name is not None:
            ids = [i for i in ids if columns.name[i] == name]
        if op is not None:
            ids = [i for i in ids if op == columns.op[i] or op == display.symbol(columns, i)]
        return [node for node in map(self._node, ids) if where is None or where(node)]

    def ancestors(self, node: Node | int) -> list[Node]:
        """Every node that `node` was computed from, in execution order, without itself."""
        id = self[node].id
        return [Node(self, i) for i in sweep.ancestors(self._columns, [id]) if i != id]

    def slice(self, node: Node | int) -> Trace:
        """What a node was computed from, and the node itself, as a trace of its own whose result is the node.

        Nodes are numbered anew; arguments that the node does not depend on are None in its `inputs`.
        """
        id = self[node].id
        kept = sweep.ancestors(self._columns, [id])
        renumbered = {old: new for new, old in enumerate(kept)}
        inputs = {k: structures.mapped(ids, renumbered.get, records=True) for k, ids in self._replayed.inputs.items()}
        return made(self._tape, Replayed(self._columns.part(kept), inputs, renumbered[id], sliced=True))

    def first_nonfinite(self) -> Node | None:
        """The first node that is NaN or infinite (or holds such an element) though all its operands are finite."""
        found = sweep.first_nonfinite(self._columns, _finite)
        return None if found is None else Node(self, found)

    # ---- what went wrong with the numbers

    def _result_nodes(self) -> list[int]:
        """The nodes of the result, each once; of a call that raised there are none."""
        return list(dict.fromkeys(structures.leaves(self._replayed.result)))

    def nonfinite(self) -> NonfiniteReport:
        """Every NaN and infinity: born where and why, whether it reaches the result, and what was nearly one.

        A masked one that never reaches the result is told apart; of a call that raised (ZeroDivisionError, a domain
        error), the operation and what it had got. `print` the report, or read its fields.
        """
        from visual_debug.diagnose import nonfinite

        error = None if self.exception is None else f"{type(self.exception).__name__}: {self.exception}"
        if isinstance(self.exception, StoppedError):
            error = f"StoppedError: the value was to be {display.value_text(self.exception.value)}"
        return nonfinite.story(self._columns, self._result_nodes(), error)

    def replay(
        self,
        number_system: Any,
        *,
        precision: int | None = None,
        functions: Mapping[str, Callable[..., Any]] | None = None,
        literals: str = "recorded",
        unknown: str = "raise",
    ) -> Replay:
        """The recorded graph evaluated again, in other numbers, along the recorded path.

        Args:
            number_system: `"float32"`, `"longdouble"` or another NumPy float type; `"fraction"`; `"mpmath"`;
                `"interval"`; `"sympy"`, of which an argument is a symbol; a type of your own, called with a float to make
                a number; or a `visual_debug.diagnose.systems.NumberSystem`.
            precision: bits of `"mpmath"` (212 by default) and `"interval"` (53).
            functions: functions of `math` by name over numbers of your own: `{"exp": my_exp}`.
            literals: `"recorded"`, the floats that the program had, or `"exact"`, the decimal numbers in the source.
            unknown: what becomes of operations that are not known for other numbers: `"raise"`, or `"keep"` the
                recorded values, which `kept` then names.

        Returns:
            Values of all nodes, the result in its structure, and what would have gone another way (`flipped`).

        Raises:
            TraceError: for an unknown system, one that is not installed, or an operation it does not have.
        """
        from visual_debug.diagnose import evaluate

        return evaluate.replay(
            self._columns,
            self._replayed.result,
            number_system,
            precision=precision,
            functions=functions,
            literals=literals,
            unknown=unknown,
        )

    def truth(self, *, literals: str = "recorded") -> Truth:
        """The true error of every value, by evaluating the recorded graph in as many digits as it takes (mpmath).

        Arguments are taken to be exact, and so are literals unless `literals="exact"`: then 0.1 means 1/10.

        Returns:
            Per node the error in bits: in all, local to the operation, inherited; the operations ranked by it; and
            the comparisons that come out otherwise in truth.

        Raises:
            TraceError: without mpmath, or if the call raised.
        """
        from visual_debug.diagnose import truth

        outputs = self._result_nodes()
        if not outputs:
            if self.truncated and not self._replayed.sliced:
                derivatives.refuse_unfinished(self)
            why = f"raised {type(self.exception).__name__}" if self.exception is not None else "returned no number"
            raise TraceError(f"{self.function} {why}: there is no result to find the truth of (t.slice(node) has one)")
        needed = sweep.marked(self._columns, outputs)
        return truth.truth(self._columns, self._replayed.result, outputs, needed, literals=literals)

    def _lone_output(self, of: Any) -> tuple[int, Mapping[int, Any]]:
        """The node of the result that `of` names, which must be a lone number, and the adjoints of it."""
        output = derivatives.output(self, of)
        if isinstance(output, int) and getattr(self._columns.value[output], "shape", ()) != ():
            raise TraceError(
                f"the result of {self.function} is an array, and this is asked of one number: return the element that is "
                "meant, or their sum (or name a node with of=…)"
            )
        seeds = derivatives.seeds(self, of, None)
        (output,) = seeds
        return output, self.adjoints if of is None else sweep.adjoints(self._columns, seeds)

    def rounding(self, *, of: Any = None) -> RoundingReport:
        """The rounding budget: what each operation can have added to the error of the result, to first order.

        Every operation is charged |adjoint x half a unit in the last place| of its own format, and one that errs by
        more (a function of the C library, a sum of an array) what it is found to err; integers, and operations that
        are exact on their operands, nothing. `plain` is the sum with those, `estimate` that of the errors themselves.
        Arguments and literals are taken to be exact.

        Args:
            of: which number of the result, as for `grad`.

        Raises:
            NoDerivativeError, TraceError: as `grad` does.
        """
        from visual_debug.diagnose import rounding

        output, adjoints = self._lone_output(of)
        return rounding.budget(self._columns, output, adjoints, sweep.marked(self._columns, [output]))

    def cancellations(self, digits: float = 3.0) -> CancellationReport:
        """Sums and differences in which at least `digits` decimal digits cancel, by expression, the worst first.

        Where the operands carry no error the cancellation is harmless, and said to be.
        """
        from visual_debug.diagnose import cancellation

        try:
            output, adjoints = self._lone_output(None)
        except (TraceError, NoDerivativeError):
            return cancellation.cancellations(self._columns, None, None, digits)
        return cancellation.cancellations(self._columns, output, adjoints, digits)

    def condition(self, *, of: Any = None) -> Condition:
        """Condition numbers: |x f'/f| of every argument, and |x z'/z| of every operation.

        Raises NoDerivativeError and TraceError as `grad` does.
        """
        from visual_debug.diagnose import conditioning

        output, adjoints = self._lone_output(of)
        inputs = {name: ids for name, ids in self._replayed.inputs.items() if any(True for _ in structures.leaves(ids))}
        return conditioning.condition(self._columns, output, adjoints, inputs)

    def gradient_health(
        self, *, of: Any = None, seed: Any = None, tiny: float = 1e-12, huge: float = 1e12
    ) -> GradientHealth:
        """What is wrong with the gradient: NaNs born in the reverse pass, what vanishes or explodes, kinks, dead inputs.

        A NaN gradient of a finite value is traced to the edge where 0 met infinity, with the `where` that did not take
        that branch and the guard to write.

        Args:
            of: which part of the result, as for `grad`.
            seed: as for `grad`.
            tiny: adjoints of arguments below this are said to vanish.
            huge: adjoints above this are said to explode.

        Raises:
            TraceError: as `grad` does.
        """
        from visual_debug.diagnose import health

        inputs = {name: list(structures.leaves(ids)) for name, ids in self._replayed.inputs.items()}
        return health.health(self._columns, derivatives.seeds(self, of, seed), inputs, tiny=tiny, huge=huge)

    def gradient_check(self, *, tolerance: float = 1e-5) -> GradientCheck:
        """Every operation's derivative against differences of the operation itself: names a wrong rule and element.

        Checks a few evaluations of each expression and a few elements of each array; kinks are passed over.
        """
        from visual_debug.diagnose import gradcheck

        needed = sweep.marked(self._columns, self._result_nodes())
        return gradcheck.check(self._columns, needed, tolerance)

    def compare(self, other: Trace, *, tolerance: float = 0.0) -> Comparison:
        """This run against another: first difference, growth, what is added and what inherited, where they part.

        Operations are matched by call path, expression and evaluation: for two inputs, two number types, or two
        versions of a function. Relative differences up to `tolerance` are passed over.
        """
        from visual_debug.diagnose import compare

        if not isinstance(other, Trace):
            raise TypeError(f"compare with another trace, not with {type(other).__name__}")

        return compare.compare(self._columns, other._columns, (self.result, other.result), tolerance)

    def why(self, node: Node | int | None = None, *, element: Any = None, least: float = 0.01) -> Why:
        """Why a value is what it is: what it comes from by influence, and the comparisons that led there.

        Args:
            node: whose history; by default the result's.
            element: of an array, the index of one element.
            least: values with less influence (as a fraction of the value itself) are left out.

        Raises:
            TraceError: if there are several results, or an array and no element.
        """
        from visual_debug.diagnose import why

        outputs = self._result_nodes()
        if node is None:
            if len(outputs) != 1:
                raise TraceError(f"the result of {self.function} has {len(outputs)} numbers: say which node")
            node = outputs[0]
        id = self[node].id
        seed = why.seed_of(self._columns.value[id], element)
        try:
            adjoints, note = sweep.adjoints(self._columns, {id: seed}), ""
        except NoDerivativeError as error:
            adjoints, note = None, f"without influences: {error}"
        return why.why(self._columns, id, element, adjoints, note, least, is_result=id in outputs)

    def what_if(self, changes: Mapping[Any, Any] | None = None, /, **arguments: Any) -> Replay:
        """The recorded graph with other arguments, or other values in place of nodes, along the recorded path.

        Args:
            changes: node (or its id) -> another value.
            **arguments: argument name -> another value, in the structure of the argument.

        Returns:
            All values, the result, and in `flipped` the comparisons that would have come out otherwise: then the
            function itself would have gone another way.

        Raises:
            TraceError: for an unknown argument, another structure, or an operation that cannot be called again.
        """
        from visual_debug.diagnose import whatif

        changed = {self[node].id: value for node, value in (changes or {}).items()}
        for name, value in arguments.items():
            changed.update(derivatives.parts(self, name, value))
        return whatif.what_if(self._columns, self._replayed.result, changed)


def load(path: str | Path, nodes: slice | None = None) -> Trace:
    """Read a trace that `Trace.save` has written; neither the traced code nor its source is needed, and nothing is run.

    Args:
        path: the file.
        nodes: ids, as `slice(1_000_000, 1_000_100)`, to load these alone, without reading the rest. What they were
            computed from are leaves then, the result is the last of them, and they are numbered anew.

    Raises:
        TraceError: if the file is damaged, cut off, of another kind, or of a newer version.
    """
    from visual_debug.storage import saved

    tape, replayed = saved.load(Path(path), nodes)
    return made(tape, replayed)


def made(tape: Tape | SavedTape, replayed: Replayed | None = None) -> Trace:
    """The trace of a tape; of a part of another trace, which needs no replay, with what that has found."""
    trace = Trace()
    trace._tape = tape
    if replayed is not None:
        trace.__dict__["_replayed"] = replayed
    return trace


def _listed(structure: Any) -> Any:
    """Node ids in nested lists and objects, as JSON has them."""
    if isinstance(structure, (list, tuple)):
        return [_listed(item) for item in structure]
    if isinstance(structure, dict):
        return {str(key): _listed(item) for key, item in structure.items()}
    return structure


def _finite(value: Any) -> bool:
    """Whether a value is finite in every element; what is no float or complex always is."""
    if isinstance(value, (float, complex)):
        return value - value == 0
    if getattr(getattr(value, "dtype", None), "kind", "") in ("f", "c"):
        return bool((value - value == 0).all())
    is_finite = getattr(value, "is_finite", None)  # Decimal
    return bool(is_finite()) if callable(is_finite) else True
