"""Which widths to try next: first along the path that the sensitivities lead, then by Optuna from what was tried."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from siliconv.search.ranking import ranked
from siliconv.search.search_space import Proposal
from siliconv.search.sensitivity import Sensitivities

if TYPE_CHECKING:
    import optuna

QUIETEST, LOUDEST = 0.01, 0.5
"""Predicted noise between which the first proposals lie: less costs nothing, and from more training hardly comes back.
"""

OF_WEIGHTS = (0.1, 1.0)
"""Shares of the noise of rounded weights that paths count: training takes much of it away, and how much is not known.
Of digits with ternary kernels it took nine tenths."""

ASKED = 4
"""So many times the proposals that are wanted are asked of Optuna; the best by prediction are taken."""

_STUDY = "siliconv"


@dataclass(frozen=True)
class Tried:
    """What came of a proposal: how good and how dear it was, or None of one that could not be built.

    ``short``: by how much its goodness, or its board, falls short of what is asked for.
    """

    proposal: Proposal
    values: tuple[float, float] | None
    short: float = 0.0


def narrowing_path(known: Sensitivities, of_weights: float = 1.0) -> tuple[Proposal, ...]:
    """Take a step of width from one tensor after the other, each time where it costs least noise for what it saves.

    Parameters
    ----------
    known
        What each step costs and saves.
    of_weights
        As for `siliconv.search.sensitivity.Sensitivities.noise`.

    Returns
    -------
    From the widest to the narrowest.
    """
    at = {tensor.name: len(tensor.widths) - 1 for tensor in known.space}
    widths = {tensor.name: tensor.widths for tensor in known.space}
    here = {name: widths[name][place] for name, place in at.items()}
    path = [here]
    while any(at.values()):
        noise, cost = known.noise(here, of_weights), known.span_operations(here)
        steps = []
        for name, place in at.items():
            if place:
                there = {**here, name: widths[name][place - 1]}
                saved = math.log(max(cost, 1.0)) - math.log(max(known.span_operations(there), 1.0))
                louder = max(known.noise(there, of_weights) - noise, 1e-9)
                steps.append((louder / saved if saved > 0 else math.inf, louder, name, there))
        _, _, chosen, here = min(steps, key=lambda one: one[:3])
        at[chosen] -= 1
        path.append(here)
    return tuple(path)


def first_proposals(known: Sensitivities, count: int) -> list[Proposal]:
    """Give proposals of the paths at noises in equal ratios, the most bits first; fewer where the paths have fewer.

    They come from one path of `OF_WEIGHTS` and the next in turn.
    """
    paths = [narrowing_path(known, share) for share in OF_WEIGHTS]
    noises = [[known.noise(one, share) for one in path] for path, share in zip(paths, OF_WEIGHTS, strict=True)]
    found: dict[tuple[tuple[str, str], ...], Proposal] = {}
    for number in range(count):
        which = number % len(paths)
        most = QUIETEST * (LOUDEST / QUIETEST) ** (number / max(count - 1, 1))
        within = [place for place, noise in enumerate(noises[which]) if noise <= most]
        one = paths[which][within[-1] if within else 0]
        found.setdefault(_key(one), one)
    return list(found.values())


def next_proposals(known: Sensitivities, tried: Sequence[Tried], count: int, seed: int) -> list[Proposal]:
    """Ask Optuna for proposals that were not tried, and give the best of them by prediction.

    Parameters
    ----------
    known
        What is chosen between, and what predicts.
    tried
        All that was tried.
    count
        How many are wanted; fewer are given where the space has no more.
    seed
        Of the sampler: the same of the same gives the same.
    """
    study = study_of_tried(known, tried, seed=seed)
    distributions, seen, asked = _distributions(known), {_key(one.proposal) for one in tried}, []
    for _ in range(2 * ASKED * count):
        places = study.ask(dict(distributions)).params
        one = {tensor.name: tensor.widths[places.get(tensor.name, 0)] for tensor in known.space}
        if _key(one) not in seen:
            seen.add(_key(one))
            asked.append(one)
        if len(asked) == ASKED * count:
            break
    points = [(known.noise(one), known.span_operations(one)) for one in asked]
    order = ranked(points, [0.0] * len(points))
    return [asked[number] for number in order[:count]]


def study_of_tried(
    known: Sensitivities, tried: Sequence[Tried], *, seed: int = 0, file: Path | None = None
) -> optuna.Study:
    """Give an Optuna study that holds what was tried: goodness to maximize, cost to minimize.

    Parameters
    ----------
    known
        What is chosen between.
    tried
        The trials, in this order.
    seed
        Of its sampler.
    file
        Where it is kept, as a journal that Optuna's own tools open; in memory by default.
    """
    import optuna
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = optuna.storages.JournalStorage(JournalFileBackend(str(file))) if file is not None else None
    study = optuna.create_study(
        storage=storage,
        study_name=_STUDY,
        directions=["maximize", "minimize"],
        sampler=optuna.samplers.TPESampler(seed=seed, multivariate=True, n_startup_trials=1),
    )
    distributions = _distributions(known)
    places = {
        tensor.name: {width: place for place, width in enumerate(tensor.widths)}
        for tensor in known.space
        if tensor.name in distributions
    }
    for one in tried:
        failed = one.values is None
        study.add_trial(
            optuna.trial.create_trial(
                state=optuna.trial.TrialState.FAIL if failed else optuna.trial.TrialState.COMPLETE,
                values=None if one.values is None else list(one.values),
                params={name: place[one.proposal[name]] for name, place in places.items()},
                distributions=dict(distributions),
                user_attrs={"widths": dict(one.proposal)},
                constraints=None if failed else {"short": one.short},
            )
        )
    return study


def _distributions(known: Sensitivities) -> dict[str, optuna.distributions.BaseDistribution]:
    import optuna

    return {
        tensor.name: optuna.distributions.IntDistribution(0, len(tensor.widths) - 1)
        for tensor in known.space
        if len(tensor.widths) > 1
    }


def _key(one: Proposal) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, str(width)) for name, width in one.items()))
