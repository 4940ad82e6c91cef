"""The optimizer against torch's own, and against the singular value decomposition."""

import pytest
import torch

from sonoriff.training.optimizer import make_optimizer, orthogonalised


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


def test_without_muon_it_is_adamw() -> None:
    torch.manual_seed(0)
    ours = torch.nn.Linear(8, 8)
    theirs = torch.nn.Linear(8, 8)
    theirs.load_state_dict(ours.state_dict())
    mine = make_optimizer(ours, 1e-2, 0.1, muon=False)
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
    groups = make_optimizer(model, 1e-3, 0.0, muon=True).param_groups
    assert [(len(g["params"]), g["muon"]) for g in groups] == [(1, True), (1, False), (2, False)]
