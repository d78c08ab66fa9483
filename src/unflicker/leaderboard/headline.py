"""The leading method, its margin and its speed, in one sentence and a few numbers."""

from __future__ import annotations

from dataclasses import dataclass

from unflicker.evaluation.methods import Method
from unflicker.leaderboard import measures as m
from unflicker.leaderboard.comparison import Estimate
from unflicker.leaderboard.leaderboards import Leaderboard


@dataclass(frozen=True, kw_only=True)
class Fact:
    """A number at the top of the page."""

    value: str
    unit: str
    meaning: str


_SORTS = {
    "made": "synthetic flicker",
    "simulated": "simulated flicker",
    "processed": "processed video",
    "real": "real film",
}


def headline(board: Leaderboard) -> str:
    """The leading method, and its margin over the best of the other side (ours, or baselines)."""
    winner = _winner(board)
    if winner is None:
        return "Nothing but the input was measured."
    place = board.comparison.estimate(winner.name, board.leading)
    other = _opponent(board)
    text = f"On {_SORTS[board.sort]}, {winner.label} comes first: {_measured(board, place)}"
    if other is None:
        return f"{text}, without another method to compare with."
    lead = board.comparison.difference(winner.name, other.name, board.leading)
    return f"{text}, {_lead(board, lead)} {_name(winner, other)}{_pace(board, winner)}."


def facts(board: Leaderboard) -> list[Fact]:
    """The leading method's numbers, and those of our fastest if that is another."""
    winner = _winner(board)
    if winner is None:
        return []
    other = _opponent(board)
    found = [_fact(board, winner, board.leading)]
    if other is not None:
        found.append(_lead_fact(board, winner, other))
    for measure in (m.WARP_RATIO, m.SEEN_LESS, m.SPEED):
        if measure != board.leading:
            found.append(_fact(board, winner, measure))
    quick = _fastest_of_ours(board)
    if quick is not None and quick != winner:
        found.append(_quick_fact(board, quick))
    return [fact for fact in found if fact is not None]


def _winner(board: Leaderboard) -> Method | None:
    ranked = [row.method for row in board.table.rows if row.method.family != "input"]
    return ranked[0] if ranked else None


def _opponent(board: Leaderboard) -> Method | None:
    """The best of the other side; if there is none, the second."""
    winner, *others = [row.method for row in board.table.rows if row.method.family != "input"]
    other_side = [method for method in others if method.ours != winner.ours]
    return next(iter([*other_side, *others]), None)


def _fastest_of_ours(board: Leaderboard) -> Method | None:
    ranked = board.comparison.ranked(m.SPEED)
    ours = {row.method.name: row.method for row in board.table.rows if row.method.ours}
    return next((ours[name] for name, _ in ranked if name in ours), None)


def _measured(board: Leaderboard, estimate: Estimate | None) -> str:
    if estimate is None:
        return "not measured"
    shown = board.leading.shown(estimate.mean)
    if board.leading == m.SEEN_LESS:
        return f"{shown}\u00a0% of the flicker removed"
    return (
        f"{shown}\u00a0{board.leading.unit}".strip()
        if board.leading.unit
        else f"{board.leading.label} {shown}"
    )


def _lead(board: Leaderboard, lead: Estimate | None) -> str:
    if lead is None:
        return "against"
    amount = board.leading.shown(abs(lead.mean))
    unit = {"dB": "\u00a0dB", "%": " points"}.get(board.leading.unit, "")
    better = "above" if board.leading.best == "high" else "below"
    sure = lead.low is None or lead.high is None or lead.low * lead.high > 0
    doubt = "" if sure else " (not significant: other clips might reverse it)"
    return f"{amount}{unit}{doubt} {better}"


def _name(winner: Method, other: Method) -> str:
    if winner.ours == other.ours:
        return f"the next, {other.label}"
    return f"our best, {other.label}" if other.ours else f"the best baseline, {other.label}"


def _pace(board: Leaderboard, winner: Method) -> str:
    speed = board.comparison.estimate(winner.name, m.SPEED)
    return "" if speed is None else f", at {m.SPEED.shown(speed.mean)} frames a second"


def _fact(board: Leaderboard, method: Method, measure: m.Measure) -> Fact | None:
    estimate = board.comparison.estimate(method.name, measure)
    if estimate is None:
        return None
    shown = measure.shown(estimate.mean)
    span = ""
    if measure == board.leading and estimate.low is not None:
        span = f", {measure.shown(estimate.low)} to {measure.shown(estimate.high)}"
    return Fact(value=shown, unit=measure.unit, meaning=f"{measure.label}{span}, {method.label}")


def _quick_fact(board: Leaderboard, quick: Method) -> Fact | None:
    speed = board.comparison.estimate(quick.name, m.SPEED)
    quality = board.comparison.estimate(quick.name, board.leading)
    if speed is None:
        return None
    amount = board.leading.shown(quality.mean if quality else None)
    unit = f" {board.leading.unit}" if board.leading.unit else f" {board.leading.label}"
    shown = m.SPEED.shown(speed.mean)
    return Fact(value=shown, unit=m.SPEED.unit, meaning=f"{quick.label}, {amount}{unit}")


def _lead_fact(board: Leaderboard, winner: Method, other: Method) -> Fact | None:
    lead = board.comparison.difference(winner.name, other.name, board.leading)
    if lead is None:
        return None
    sign = "+" if lead.mean >= 0 else "−"
    span = ""
    if lead.low is not None and lead.high is not None:
        low, high = sorted((abs(lead.low), abs(lead.high)))
        span = f" ({board.leading.shown(low)} to {board.leading.shown(high)})"
    return Fact(
        value=f"{sign}{board.leading.shown(abs(lead.mean))}",
        unit=board.leading.unit,
        meaning=f"against {other.label}{span}",
    )
