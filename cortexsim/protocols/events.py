"""The table of events of a protocol: the times of each synapse, in order, side by side with those of the others."""

from dataclasses import dataclass

import numpy as np

from cortexsim.protocols.protocol import RESOLUTION, Protocol


@dataclass(frozen=True)
class Events:
    """Events by synapse and order, each (synapses, events).

    Attributes:
        times: s; shorter lists are filled up with the duration of the protocol.
        pre: whether the presynaptic cell spikes.
        post: whether the postsynaptic cell spikes.
        brief: sizes of the brief pulses of each modulator, added up.
        held: by how much the held level of each modulator changes.
        voltage: which of the held voltages begins; -1 for none.
    """

    times: np.ndarray
    pre: np.ndarray
    post: np.ndarray
    brief: dict[str, np.ndarray]
    held: dict[str, np.ndarray]
    voltage: np.ndarray


def tabulate(protocol: Protocol) -> Events:
    """Tabulate the events of a protocol.

    >>> events = tabulate(Protocol(pre=[[0.01, 0.03]], post=[[0.02]], duration=0.1))
    >>> events.times, events.pre, events.post
    (array([[0.01, 0.02, 0.03, 0.1 ]]), array([[ True, False,  True, False]]), array([[False,  True, False, False]]))
    """
    brief = {name: [(p.time, p.size) for p in each if not p.duration] for name, each in protocol.pulses.items()}
    held = {name: [edge for p in each if p.duration for edge in p.edges] for name, each in protocol.pulses.items()}
    steps = np.arange(protocol.held_steps) * protocol.potential_step
    steps = np.round(steps[steps < protocol.duration], RESOLUTION)
    common = [time for edges in (*brief.values(), *held.values()) for time, _ in edges if time < protocol.duration]
    shared = np.unique(np.concatenate([np.round(np.asarray(common, dtype=float), RESOLUTION), steps]))
    pre, post, end = protocol.spikes("pre"), protocol.spikes("post"), [protocol.duration]
    own = [np.unique(np.concatenate([a, b, shared, end])) for a, b in zip(pre, post, strict=True)]
    times = np.full((protocol.synapses, max(map(len, own))), float(protocol.duration))
    for row, each in zip(times, own, strict=True):
        row[: len(each)] = each
    valid = np.arange(times.shape[1]) < np.array([len(each) for each in own])[:, None]

    def marks(trains: list[np.ndarray]) -> np.ndarray:
        return valid & np.stack([np.isin(row, train) for row, train in zip(times, trains, strict=True)])

    def sizes(edges: list[tuple[float, float]]) -> np.ndarray:
        found = np.zeros(times.shape)
        for time, size in edges:
            found += size * (valid & (times == np.round(time, RESOLUTION)))
        return found

    index = np.searchsorted(steps, times)
    begins = valid & np.isin(times, steps)
    return Events(
        times,
        marks(pre),
        marks(post),
        {name: sizes(edges) for name, edges in brief.items() if edges},
        {name: sizes(edges) for name, edges in held.items() if edges},
        np.where(begins, index, -1),
    )
