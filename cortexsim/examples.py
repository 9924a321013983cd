"""Examples in the help of each command."""

EXAMPLES = {
    "compare": """
        cortexsim compare
        cortexsim compare --model clapp --model backprop --depth 4 --samples 1024,2048 --seeds 5
        cortexsim compare --task "flowers.csv,label=species" --model clapp --model untrained --samples 64,128
        cortexsim compare --resume runs/compare-20260101-120000
    """,
    "threshold": """
        cortexsim threshold clapp --depth 3,4
        cortexsim threshold my_model.toml --alone --cap 8192
    """,
    "models": """
        cortexsim models --rules
        cortexsim models --tasks --contexts
    """,
    "show": """
        cortexsim show clapp
        cortexsim show my_model.toml
    """,
    "train": """
        cortexsim train clapp --samples 4096
        cortexsim train clapp-spiking --depth 3 --out runs/first
        cortexsim train clapp --task digits --samples 500
        cortexsim train clapp --record weights --every 500 --synapses 100
        cortexsim train --resume runs/first
    """,
    "sweep": """
        cortexsim sweep clapp --set training.eta=0.001,0.003 --grid task.depth=2,3 --samples 256 --seeds 5
        cortexsim sweep --resume runs/sweep-clapp-20260101-120000 --workers 2
    """,
    "search": """
        cortexsim search experiments/tuning/depth-3.toml --out runs/search
    """,
    "runs": """
        cortexsim runs
        cortexsim runs runs/sweep-clapp-20260101-120000
    """,
    "report": """
        cortexsim report runs/clapp-* --out clapp.html
    """,
    "protocol": """
        cortexsim protocol frequency --rule stdp_triplet
        cortexsim protocol pair_window --rule my_rule.py --out window.png
    """,
    "cards": """
        cortexsim cards
        cortexsim cards my_rule.py stdp_triplet
    """,
    "fit": """
        cortexsim fit stdp_triplet --to frequency --constants slow_potentiation,depression,tau_o2
        cortexsim fit my_rule.py --to pair_window --out my_fitted_rule.py
    """,
    "export": """
        cortexsim export runs/first --nwb first.nwb --fixations 100
        cortexsim export runs/first --npz first.npz
        cortexsim export runs/compare-20260101-120000 --csv rows.csv
        cortexsim export runs/first --parquet activities.parquet --activities
    """,
    "raster": """
        cortexsim raster clapp-spiking --depth 3 --fixations 10
    """,
    "experiment": """
        cortexsim experiment at_a_glance
        cortexsim experiment sample_complexity --quick
        cortexsim experiment deep_hierarchy --from-rows --out redrawn
    """,
}
"""Command lines by the name of the command, one a line."""


def epilog(command: str) -> str:
    r"""Format the examples of a command for its help, with a mark that keeps its lines as they are.

    >>> epilog("search")
    '\x08\nExamples:\n  cortexsim search experiments/tuning/depth-3.toml --out runs/search'
    """
    lines = EXAMPLES[command].strip().splitlines()
    return "\b\nExamples:\n" + "\n".join(f"  {line.strip()}" for line in lines)
