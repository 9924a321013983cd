"""CLAPP++ in convolutional columns, on small pictures and signals: ``cortexsim experiment images``.

What is measured here takes minutes on one core. Published accuracies of the same rules, on photographs, are beside it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cortexsim.analysis.gradient_similarity import layer_cosines
from cortexsim.analysis.plots import COLOURS, MARKERS
from cortexsim.analysis.summary import Spread
from cortexsim.config import building
from cortexsim.config.overrides import changed
from cortexsim.config.registry import find_model
from cortexsim.config.schema import Model
from cortexsim.config.trial import Trial
from cortexsim.learners import EpochEnd, PairedLocal, events
from cortexsim.rate.threads import one_thread
from cortexsim.report.markdown import table
from cortexsim.seeds import stream
from cortexsim.studies.program_experiment import Program, Row
from cortexsim.tasks import TASKS
from cortexsim.tasks.mnist1d import Mnist1d
from cortexsim.training.measurement import layer_accuracy, prepare, run, train_and_measure

HERE = Path(__file__).parent
BUILT = {"digits": TASKS["digits"](), "mnist1d": Mnist1d(), "mnist1d-shuffled": Mnist1d(shuffled=True)}
SEEDS, SAMPLES, TEST, FEW, NEIGHBOURS = 5, 512, 1000, 50, 5
COMPARED, DRAWS = 512, 2  # Pairs of a batch, and batches, over which updates are averaged before they are compared.
PLAIN = ["pixels, linear", "pixels, neighbours"]
TITLES = {
    "both": "CLAPP++ both",
    "view": "CLAPP++",
    "view-top": "CLAPP++ DFB",
    "no-space": "CLAPP++ without space",
    "bp-clapp": "CLAPP++ end to end",
    "bp-infonce": "InfoNCE end to end",
    "infonce": "InfoNCE, layer by layer",
    "lpl": "LPL",
    "vicreg": "VICReg",
    "barlow": "Barlow Twins",
    "scff": "SCFF",
    "hebb": "covariance rule",
    "untrained": "untrained",
    "pixels, linear": "linear readout of the input",
    "pixels, neighbours": f"{NEIGHBOURS} nearest neighbours of the input",
    "backprop": "backpropagation of labels",
}
ON_SIGNALS = ["both", "bp-clapp", "hebb", "untrained", *PLAIN, "backprop"]
SIGNALS = ["mnist1d", "mnist1d-shuffled"]
LEARNERS = {"digits": list(TITLES), **dict.fromkeys(SIGNALS, ON_SIGNALS)}
HEAD = ["", "all labels", f"{FEW} labels"]
SIMILARITY = ("both", "view", "view-top", "no-space")
EPOCHS = (0, 2, 10)
# Zihan, Delrocq, Bellec, Gerstner 2026: six layers, 300 epochs. Test accuracy in per cent, CIFAR-10, STL-10 and Tiny
# ImageNet.
PUBLISHED: dict[str, tuple[float | None, ...]] = {
    "both": (81.18, 79.62, 37.78),
    "view": (80.51, 78.66, 36.63),
    "view-top": (80.65, 79.38, 36.70),
    "no-space": (73.21, 75.10, None),
    "bp-clapp": (80.49, 80.36, 37.55),
    "bp-infonce": (80.69, 81.97, 36.78),
}


def model_of(task: str, learner: str) -> Model:
    """Read a model, which is the same on shuffled signals."""
    return find_model(f"{task.partition('-')[0]}-{learner}.toml", HERE)


def trial_of(case: Mapping[str, Any]) -> Trial:
    """Return the trial of a case: the test samples too follow from its seed."""
    task, seed = case["task"], case["seed"]
    model = model_of(task, case["learner"])
    if "epochs" in case:
        model = changed(model, {"training.epochs": case["epochs"]} if model.learner != "untrained" else {})
    return Trial(model, BUILT[task], case.get("samples", SAMPLES), case.get("test", TEST), seed, seed)


def measure(case: Mapping[str, Any]) -> list[Row]:
    """Measure the accuracy of a learner, or the similarity of its updates with those of one loss at the top."""
    with one_thread():
        if case["measure"] == "similarity":
            return similarities(case)
        if case["learner"] in PLAIN:
            return [{**case, "accuracy": plain_accuracy(case, None), "few": plain_accuracy(case, FEW)}]
        trial = trial_of(case)
        prepared = prepare(trial)
        row = train_and_measure(trial, prepared)
        if prepared.learner.uses_labels:
            longer = {"training.epochs": trial.model.training.epochs * trial.samples // FEW}  # As many samples shown.
            few = run(replace(trial, model=changed(trial.model, longer), samples=FEW))["accuracy"]
        else:
            limited = replace(trial, model=changed(trial.model, {"readout.labels": FEW}))
            few = layer_accuracy(limited, prepared, prepared.learner.trained_layers - 1)
    return [{**case, "accuracy": row["accuracy"], "few": few, "diverged": row["diverged"]}]


def plain_accuracy(case: Mapping[str, Any], labels: int | None) -> float:
    """Classify the input itself, with so many labels."""
    from sklearn.neighbors import KNeighborsClassifier

    task, seed = BUILT[case["task"]], case["seed"]
    train, test = task.draw(case.get("samples", SAMPLES), case.get("test", TEST), seed, seed)
    train = train[:labels]
    if case["learner"] == "pixels, neighbours":
        found = KNeighborsClassifier(NEIGHBOURS).fit(train.inputs.reshape(len(train), -1), train.labels)
        return float(found.score(test.inputs.reshape(len(test), -1), test.labels))
    readout = building.readout(model_of(case["task"], "untrained"))
    inputs = [torch.from_numpy(data.inputs) for data in (train, test)]
    labels = [torch.from_numpy(data.labels) for data in (train, test)]
    return readout.accuracy(inputs[0], labels[0], inputs[1], labels[1], task.classes, seed)


def similarities(case: Mapping[str, Any]) -> list[Row]:
    """Compare updates with those of the loss at the top, layer by layer, before, during and after training."""
    trial = trial_of(case)
    prepared, budget = prepare(trial), building.budget(trial.model)
    learner, pairs = prepared.learner, prepared.pairs
    assert isinstance(learner, PairedLocal)
    assert pairs is not None
    compared = [
        pairs(torch.from_numpy(generator.permutation(len(prepared.inputs))[:COMPARED]), generator)
        for generator in (stream(trial.seed, "compared", draw) for draw in range(DRAWS))
    ]
    found = {0: layer_cosines(learner, compared)}
    for event in events(learner, prepared.inputs, prepared.labels, budget, trial.seed, pairs=pairs):
        if isinstance(event, EpochEnd) and event.epoch + 1 in EPOCHS:
            found[event.epoch + 1] = layer_cosines(learner, compared)
    return [
        {**case, "epoch": epoch, "cosines": [round(value, 5) for value in cosines]} for epoch, cosines in found.items()
    ]


def accuracies(rows: Sequence[Row], measure: str) -> dict[tuple[str, str], list[float]]:
    """Group accuracies by task and learner: ``accuracy``, with all labels, or ``few``."""
    found: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        if row["measure"] == "accuracy":
            found.setdefault((row["task"], row["learner"]), []).append(row[measure])
    return found


def tables(rows: Sequence[Row]) -> dict[str, str]:
    """Make the README's tables: accuracies, published ones beside them, and cosines."""
    shuffled = [*HEAD, *(f"shuffled, {title}" for title in HEAD[1:])]
    made = {
        "digits": table(HEAD, learner_rows(rows, ["digits"])),
        "differences": table(HEAD, difference_rows(rows, ["digits"])),
        "mnist1d": table(shuffled, learner_rows(rows, SIGNALS)),
        "mnist1d-differences": table(shuffled, difference_rows(rows, SIGNALS)),
    }
    published = [
        [TITLES[name], *("-" if value is None else f"{value:.2f} %" for value in values)]
        for name, values in PUBLISHED.items()
    ]
    made |= {"published": table(["", "CIFAR-10", "STL-10", "Tiny ImageNet"], published)}
    head = ["", "epochs", *(f"layer {layer}" for layer in range(1, 5))]
    made |= {"similarity": table(head, cosine_rows(rows))}
    return made | {"similarity-differences": table(head[:-1], cosine_differences(rows))}


def learner_rows(rows: Sequence[Row], tasks: Sequence[str]) -> list[list[str]]:
    """Make the rows of a table of accuracies: mean and standard deviation over seeds."""
    found = [accuracies(rows, measure) for measure in ("accuracy", "few")]
    return [
        [TITLES[name], *(str(Spread.of(each[task, name])) for task in tasks for each in found)]
        for name in LEARNERS[tasks[0]]
    ]


def difference_rows(rows: Sequence[Row], tasks: Sequence[str]) -> list[list[str]]:
    """Compare CLAPP++ both with every other learner, seed by seed; count the seeds in which it is better."""
    found, body = [accuracies(rows, measure) for measure in ("accuracy", "few")], []
    for name in LEARNERS[tasks[0]][1:]:
        pairs = [list(zip(each[task, "both"], each[task, name], strict=True)) for task in tasks for each in found]
        body.append([TITLES[name], *(_difference(several) for several in pairs)])
    return body


def _difference(pairs: Sequence[tuple[float, float]]) -> str:
    above = [one - other for one, other in pairs]
    return f"{Spread.of(above)} ({sum(value > 0 for value in above)} of {len(above)})"


def cosine_rows(rows: Sequence[Row]) -> list[list[str]]:
    """Make the rows of the table of cosines: mean and standard deviation over seeds."""
    body = []
    for name in SIMILARITY:
        for epoch, several in cosines(rows, name).items():
            body.append([TITLES[name], str(epoch), *(str(Spread.of(layer)) for layer in zip(*several, strict=True))])
    return body


def cosine_differences(rows: Sequence[Row]) -> list[list[str]]:
    """Compare cosines of contexts below the highest layer, seed by seed; count the seeds in which they are higher."""
    body = []
    for one, other in (("both", "view"), ("view", "no-space")):
        found = [cosines(rows, name) for name in (one, other)]
        for epoch in found[0]:
            layers = [list(zip(*each[epoch], strict=True))[:-1] for each in found]  # (layers, seeds) of each.
            cells = [_difference(list(zip(*pair, strict=True))) for pair in zip(*layers, strict=True)]
            body.append([f"{TITLES[one]} less {TITLES[other]}", str(epoch), *cells])
    return body


def cosines(rows: Sequence[Row], name: str) -> dict[int, list[list[float]]]:
    """Group the cosines of a learner by epoch, each (seeds, layers)."""
    found: dict[int, list[list[float]]] = {}
    for row in rows:
        if row["measure"] == "similarity" and row["learner"] == name:
            found.setdefault(row["epoch"], []).append(row["cosines"])
    return found


def draw(rows: Sequence[Row]) -> Figure:
    """Draw cosine against layer: a panel for each number of epochs."""
    epochs = list(cosines(rows, "both"))
    figure = Figure(figsize=(3.4 * len(epochs), 3.6), layout="constrained")
    panels = figure.subplots(1, len(epochs), squeeze=False, sharey=True)[0]
    for axes, epoch in zip(panels, epochs, strict=True):
        for number, name in enumerate(SIMILARITY):
            line(axes, cosines(rows, name)[epoch], TITLES[name], number)
        axes.axhline(0, color="0.8", zorder=0)
        axes.spines[["top", "right"]].set_visible(False)
        axes.set(title=f"after {epoch} epochs", xlabel="layer")
    panels[0].set(ylabel="cosine with the end-to-end update", ylim=(-0.75, 1.1))
    panels[0].legend(frameon=False, fontsize=8, loc="upper left")
    return figure


def line(axes: Axes, several: Sequence[Sequence[float]], title: str, number: int) -> None:
    """Draw mean and standard deviation over seeds."""
    spreads = [Spread.of(layer) for layer in zip(*several, strict=True)]
    layers = range(1, len(spreads) + 1)
    beside = [layer + 0.06 * (number - 1.5) for layer in layers]  # So that error bars do not hide each other.
    means, deviations = [spread.mean for spread in spreads], [spread.deviation for spread in spreads]
    look = {"color": COLOURS[number], "marker": MARKERS[number], "markersize": 5}
    axes.errorbar(beside, means, deviations, label=title, capsize=2, **look)
    axes.set_xticks(layers)


ACCURACY = [
    {"measure": "accuracy", "task": task, "learner": learner, "seed": seed}
    for task, learners in LEARNERS.items()
    for seed in range(SEEDS)
    for learner in learners
]
COSINES = [
    {"measure": "similarity", "task": "digits", "learner": name, "seed": seed, "epochs": max(EPOCHS)}
    for seed in range(SEEDS)
    for name in SIMILARITY
]
SMALL = {"epochs": 1, "samples": 128, "test": 100}

EXPERIMENT = Program(
    "CLAPP++ in convolutional columns, on digits and MNIST-1D, beside published accuracies on photographs",
    cases=[*ACCURACY, *COSINES],
    measure=measure,
    tables=tables,
    figures=lambda rows: {"figure": lambda: draw(rows)},
    quick=[{**case, **SMALL} for case in [*ACCURACY, *COSINES] if case["seed"] == 0],
)
