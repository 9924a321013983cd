"""Text that Brian2 generates is replaced where it has the known form; any other form ends in an error."""

import pytest

from cortexsim.spiking.device import along_row


def test_cells_are_looked_up_along_the_row() -> None:
    known = "const int32_t _postsynaptic_idx = _ptr_array_synaptic_post[_idx];"
    assert along_row([known]) == "const int32_t _postsynaptic_idx = _row_post + _place;"


@pytest.mark.parametrize("cell", ["pre", "post"])
def test_a_form_of_another_version_is_refused(cell: str) -> None:
    with pytest.raises(RuntimeError, match=f"looks up {cell}synaptic cells has an unknown form"):
        along_row(f"const int32_t _{cell}synaptic_idx = _lookup(_idx);")
