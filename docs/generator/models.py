"""A page per model: what it is, its file, and the rule that it follows."""

from cortexsim.config.registry import find_model, model_paths
from cortexsim.config.schema import Model
from cortexsim.training.measurement import context_name, substrate_name
from generator.text import code, fence, page, section, table

HEAD = ["model", "learner", "rule", "substrate", "context", "what it is"]


def pages() -> dict[str, str]:
    """Write the page of every model, and the table of all models."""
    models = {name: find_model(name) for name in model_paths()}
    rows = [
        (f"[`{name}`](../generated/models/{name}.md)", *_about(model), model.description)
        for name, model in models.items()
    ]
    texts = {f"models/{name}.md": _page(name, model) for name, model in models.items()}
    return texts | {"models/_table.md": table(HEAD, rows)}


def _about(model: Model) -> tuple[str, ...]:
    return model.learner, model.rule_name, substrate_name(model), context_name(model)


def _page(name: str, model: Model) -> str:
    follows = (
        f"[`{model.rule_name}`](../rules/{model.rule_name}.md)" if model.rule is not None else "no plasticity rule"
    )
    file = model_paths()[name].read_text(encoding="utf-8").strip()
    return page(
        code(name),
        f"{model.description}.",
        table(HEAD[1:5], [_about(model)]),
        f"It follows {follows}.",
        section("File", fence(file, "toml")),
        section("Run it", fence(f"cortexsim show {name}\ncortexsim train {name}", "sh")),
    )
