"""How many answers a user study needs: synthetic people of known preference, again and again.

python benchmarks/study.py --people 100 --pairs 20 --repeats 5
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np

from unflicker.study import Answers, Crowd, Plan, results_of, simulate
from unflicker.study.material import Example, Material, Pair

STRENGTHS = {"first": 0.9, "second": 0.5, "third": 0.1, "fourth": -0.4, "fifth": -1.1}
"""Odds of 1.5 between neighbours, then more."""
_EXAMPLES = 50


def material() -> Material:
    """Examples of one category with a result of each method, and no videos."""
    names, examples, pairs = sorted(STRENGTHS), {}, []
    for number in range(_EXAMPLES):
        name = f"film{number:02}"
        videos = {each: Path() for each in (*names, "input", "truth")}
        examples[name] = Example(name=name, category="", videos=videos)
        pairs += [
            Pair(example=name, category="", one=one, other=other)
            for k, one in enumerate(names)
            for other in names[k + 1 :]
        ]
    return Material(examples=examples, pairs=tuple(pairs))


def main() -> None:
    """Print how often the ranking is the known one, and how often intervals hold the truth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=100)
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--careless", type=float, default=0.1)
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    plan, right, apart, left_out = Plan(pairs=given.pairs, checks=4), [], [], []
    for seed in range(given.repeats):
        with tempfile.TemporaryDirectory() as folder:
            answers = Answers(Path(folder) / "study.sqlite")
            crowd = Crowd(
                strengths=STRENGTHS, people=given.people, careless=given.careless, seed=seed
            )
            simulate(crowd, answers, material(), plan=plan)
            found = results_of(answers.everything(), attentive=True)
        ranking = [rank.method for rank in found.categories[0].ranking]
        right.append(ranking == list(STRENGTHS))
        neighbours = [
            each
            for each in found.categories[0].preferences
            if abs(ranking.index(each.method) - ranking.index(each.other)) == 1
        ]
        apart.append(np.mean([each.low > 0.5 or each.high < 0.5 for each in neighbours]))
        left_out.append(found.left_out)
    print(f"{given.people} people of {given.pairs} pairs, {given.repeats} studies:")
    print(f"the known order in {sum(right)} of {len(right)}")
    print(f"neighbours distinguished: {np.mean(apart):.0%}")
    print(f"people left out by their checks: {np.mean(left_out):.1f} of {given.people}")


if __name__ == "__main__":
    main()
