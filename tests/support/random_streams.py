"""Random stream graphs, and a simulation of them that steps through every cycle."""

from dataclasses import replace

from hypothesis import strategies as st

from siliconv.hardware.stream.stream_graph import (
    Actor,
    Fifo,
    Step,
    StreamGraph,
    padding_steps,
    resampling_steps,
    steps,
    window_steps,
)


def step_by_step(graph, images, limit=20000):
    """Simulate cycle by cycle with queues of tokens; returns starts, ends and whether everything finished."""
    tokens = {fifo.name: [] for fifo in graph.fifos}  # cycle from which each token can be read
    room = {fifo.name: fifo.depth if fifo.depth is not None else 10**9 for fifo in graph.fifos}
    state = {actor.name: {"step": 0, "left": 0, "starts": [], "ends": []} for actor in graph.actors}
    idle = 0
    for cycle in range(limit):
        freed, happened = [], False
        for actor in graph.actors:
            mine = state[actor.name]
            total = images * len(actor.program)
            if mine["step"] < total and mine["left"] == 0:
                step = actor.program[mine["step"] % len(actor.program)]
                inputs = [fifo.name for fifo in graph.fifos if fifo.reader == actor.name]
                there = not step.reads or all(tokens[one] and tokens[one][0] <= cycle for one in inputs)
                if actor.stalls_whole and step.reads and step.writes and step.cycles == 1:
                    there = there and all(room[fifo.name] > 0 for fifo in graph.fifos if fifo.writer == actor.name)
                if there:
                    if step.reads:
                        for one in inputs:
                            tokens[one].pop(0)
                            freed.append(one)
                    mine["left"] = step.cycles
                    mine["starts"].append(cycle)
                    happened = True
        for actor in graph.actors:
            mine = state[actor.name]
            if mine["left"] == 0:
                continue
            step = actor.program[mine["step"] % len(actor.program)]
            outputs = [fifo.name for fifo in graph.fifos if fifo.writer == actor.name]
            if mine["left"] > 1:
                mine["left"] -= 1
                happened = True
            elif not step.writes or all(room[one] > 0 for one in outputs):
                if step.writes:
                    for one in outputs:
                        room[one] -= 1
                        tokens[one].append(cycle + 1 + actor.latency)
                mine["left"] = 0
                mine["step"] += 1
                mine["ends"].append(cycle)
                happened = True
        for one in freed:
            room[one] += 1
        if all(state[actor.name]["step"] == images * len(actor.program) for actor in graph.actors):
            return state, True
        idle = 0 if happened else idle + 1
        if idle > 50:
            return state, False
    return None


def slowed(graph, factor):
    """The graph with inputs that bring a word every so many cycles only."""
    readers = {fifo.reader for fifo in graph.fifos}
    return replace(
        graph,
        actors=tuple(
            actor
            if actor.name in readers
            else replace(actor, program=tuple(replace(one, cycles=factor * one.cycles) for one in actor.program))
            for actor in graph.actors
        ),
    )


def stages_of(graph, most):
    """Numbers of pipeline stages by actor, up to a number for all or one each."""
    bounds = most if isinstance(most, dict) else {actor.name: most for actor in graph.actors}
    return st.fixed_dictionaries({name: st.integers(0, bound) for name, bound in bounds.items()})


@st.composite
def stream_graphs(draw, *, joins=False, longest=2):
    """Chains, forks and joins of random layers with random depths; some of them deadlock.

    `joins`: no part is a mere chain; `longest`: the most layers in one branch.
    """
    actors, fifos = [], []

    def depth():
        return draw(st.one_of(st.none(), st.integers(1, 5)))

    def add(program, sources):
        name = f"a{len(actors)}"
        actors.append(Actor(name, tuple(program), draw(st.integers(0, 3)), draw(st.booleans())))
        for source in sources:
            fifos.append(Fifo(f"f{len(fifos)}", source, name, 8, depth()))
        return name

    def layer(source, words):
        kind = draw(st.sampled_from(["map", "window", "pad", "collect", "spread"]))
        cycles = draw(st.integers(1, 4))
        if kind == "window" and words >= 3:
            stride = draw(st.integers(1, 2))
            out = (words - 3) // stride + 1
            return add(window_steps((words,), (3,), (stride,), (out,), (1, cycles)), [source]), out
        if kind == "pad":
            return add(padding_steps((words,), (words + 2,)), [source]), words + 2
        if kind == "collect":
            return add((*steps(words - 1, writes=False), Step(True, cycles, True)), [source]), 1
        if kind == "spread":
            return add(resampling_steps(words, 2 * words, cycles), [source]), 2 * words
        return add(steps(words, cycles=cycles), [source]), words

    words = draw(st.integers(1, 6))
    end = add(steps(words, cycles=draw(st.integers(1, 3))), [])
    for _ in range(draw(st.integers(1, 3))):
        if not joins and draw(st.booleans()):
            end, words = layer(end, words)
            continue
        left, right = end, end
        left_words = right_words = words
        for _ in range(draw(st.integers(1, longest))):
            left, left_words = layer(left, left_words)
        if draw(st.booleans()):
            right, right_words = layer(right, right_words)
        left = add(resampling_steps(left_words, words), [left])
        right = add(resampling_steps(right_words, words), [right])
        end = add(steps(words), [left, right])
    return StreamGraph(tuple(actors), tuple(fifos))
