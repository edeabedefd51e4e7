"""What the models of torch_step.py, torch_text.py, torch_speech.py and torch_contrast.py share:
linear layers with sigmaReparam, attention in two ways."""
import torch
import torch.nn.functional as F
from torch import nn


class SigmaLinear(nn.Linear):
    """y = gamma / sigma(W) x W^T + b, as it is mostly written: one power iteration and a new
    matrix in each forward pass; the gradient goes through sigma."""

    def __init__(self, inputs, outputs, bias=True):
        super().__init__(inputs, outputs, bias=bias)
        self.gamma = nn.Parameter(torch.ones(1))
        self.register_buffer("u", F.normalize(torch.randn(inputs), dim=0))
        self.register_buffer("v", F.normalize(torch.randn(outputs), dim=0))

    def effective_weight(self):
        with torch.no_grad():
            self.v.copy_(F.normalize(self.weight @ self.u, dim=0))
            self.u.copy_(F.normalize(self.weight.t() @ self.v, dim=0))
        sigma = self.v.clone() @ (self.weight @ self.u.clone())
        return self.gamma / sigma * self.weight

    def forward(self, x):
        return F.linear(x, self.effective_weight(), self.bias)


def split_heads(x, parts, heads):
    """[B, T, parts D] -> parts of [B, H, T, K], views of x."""
    B, T, D = x.shape
    return x.view(B, T, parts, heads, D // (parts * heads)).permute(2, 0, 3, 1, 4).unbind(0)


def attend(way, q, k, v, mask=None):
    """[B, H, T, K] -> [B, T, D]; mask: [T, S], -inf above the diagonal, for causal attention.

    sdpa is PyTorch's fused attention; matmul writes the products out, scale and mask inside
    the product with the keys."""
    B, H, T, K = q.shape
    if way == "sdpa":
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=mask is not None)
        return mixed.transpose(1, 2).reshape(B, T, H * K)
    q, k, v = (x.reshape(B * H, -1, K) for x in (q, k, v))
    add = q.new_empty(1) if mask is None else mask.to(q.dtype)
    logits = torch.baddbmm(add, q, k.transpose(1, 2), beta=int(mask is not None), alpha=K ** -0.5)
    mixed = torch.bmm(logits.softmax(-1).to(v.dtype), v)
    return mixed.view(B, H, T, K).transpose(1, 2).reshape(B, T, H * K)
