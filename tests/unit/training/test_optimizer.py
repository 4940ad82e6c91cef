"""The optimizer against torch's own, and against the singular value decomposition."""

import pytest
import torch

from sonoriff.errors import ParameterError
from sonoriff.training.config import LoopConfig
from sonoriff.training.optimizer import make_optimizer, orthogonalised


def config(**fields: object) -> LoopConfig:
    return LoopConfig(**({"steps": 1, "batch_size": 1, "learning_rate": 1e-2} | fields))  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", [(96, 32), (32, 96)])
def test_orthogonalised_has_singular_values_near_one(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    matrix = torch.randn(shape)
    values = torch.linalg.svdvals(orthogonalised(matrix))
    assert float(values.min()) > 0.5
    assert float(values.max()) < 1.4
    u, _, vh = torch.linalg.svd(matrix, full_matrices=False)
    cosine = torch.nn.functional.cosine_similarity(
        (u @ vh).flatten(), orthogonalised(matrix).flatten(), dim=0
    )
    assert float(cosine) > 0.95


def test_orthogonalised_holds_for_a_gradient_of_small_rank() -> None:
    torch.manual_seed(0)
    matrix = torch.randn(320, 320) @ torch.diag(torch.logspace(0, -3, 320))
    # The largest singular value that the quintic's five steps can leave.
    assert float(torch.linalg.matrix_norm(orthogonalised(matrix), 2)) < 1.4


def test_without_muon_it_is_adamw() -> None:
    torch.manual_seed(0)
    ours = torch.nn.Linear(8, 8)
    theirs = torch.nn.Linear(8, 8)
    theirs.load_state_dict(ours.state_dict())
    mine = make_optimizer(ours, config(weight_decay=0.1))
    reference = torch.optim.AdamW(
        [
            {"params": [theirs.weight], "weight_decay": 0.1},
            {"params": [theirs.bias], "weight_decay": 0.0},
        ],
        lr=1e-2,
        betas=(0.9, 0.99),
    )
    for _ in range(5):
        x = torch.randn(4, 8)
        for model, optimizer in ((ours, mine), (theirs, reference)):
            model(x).square().mean().backward()
            optimizer.step()
            optimizer.zero_grad()
    torch.testing.assert_close(ours.weight, theirs.weight)
    torch.testing.assert_close(ours.bias, theirs.bias)


def test_muon_takes_only_the_matrices_of_blocks() -> None:
    model = torch.nn.ModuleDict({"blocks": torch.nn.Linear(4, 4), "leave": torch.nn.Linear(4, 4)})
    groups = make_optimizer(model, config(muon=True)).param_groups
    assert [(len(g["params"]), g["muon"]) for g in groups] == [(1, True), (1, False), (2, False)]


def test_a_part_of_the_model_has_its_own_rate() -> None:
    model = torch.nn.ModuleDict({"text": torch.nn.Linear(4, 4), "unet": torch.nn.Linear(4, 4)})
    groups = make_optimizer(model, config(rate_scales=(("text.", 0.1),))).param_groups
    assert sorted((len(g["params"]), g["rate_scale"]) for g in groups) == [
        (1, 0.1),
        (1, 0.1),
        (1, 1.0),
        (1, 1.0),
    ]


def test_a_model_that_is_all_frozen_is_refused() -> None:
    with pytest.raises(ParameterError, match="every weight is frozen"):
        make_optimizer(torch.nn.Linear(2, 2).requires_grad_(False), config())
