"""How many floating-point operations the models need, by formula.

A product of (a, b) and (b, c) matrices counts 2abc. Counted are the linear
layers and the two products of attention; norms, softmax, activations and the
optimizer are left out, as is usual for the share of a machine's peak that a
model reaches. A backward pass counts twice its forward pass. Counted is what
the method needs: what a slow way does again and again counts once.
"""

FORMULA = """model FLOPs of an image: linear 2 T in out; attention 4 T S d
  block of the ViT        B(T) = 2 T (4 d^2 + 2 d f) + 4 T^2 d
  ViT over K of L patches V(K) = 2 L p d + n B(1 + K)"""
PRETRAIN = FORMULA + """
  LMIM's decoder          D = 2 (1 + K + 1 + L) d e + m (2 T (8 e^2 + 2 e g)
                              + 8 T^2 e) + 2 T e d, T = 1 + L
  step                    3 (V(K) + V(L) + D) + V(L) of the teacher"""
RECOGNIZE = FORMULA + """
  writing c characters    D = M (2 d e) + m (4 M e^2 + 2 c (6 e^2 + 2 e g)
                              + 4 c M e + 2 c^2 e) + 2 c e k, M = 1 + L
  word                    V(L) + D (fine-tuning: 3 (V(L) + D), c = 25)
  CTC                     V(L) + 2 (columns) d k"""


def linear(tokens: float, inputs: int, outputs: int) -> float:
    """A linear layer."""
    return 2. * tokens * inputs * outputs


def attention(queries: float, keys: float, dims: int) -> float:
    """The two products of attention, of all heads together."""
    return 4. * queries * keys * dims


def vit(dims: int, layers: int, ffn: int, patches: int = 256,
        kept: int = 256, patch_dims: int = 48) -> float:
    """A forward pass of the ViT over some of the patches."""
    tokens = 1 + kept
    block = (linear(tokens, dims, 4 * dims + 2 * ffn)
             + attention(tokens, tokens, dims))
    return linear(patches, patch_dims, dims) + layers * block


def guided_decoder(dims: int, kept: int, patches: int = 256,
                   embed_dims: int = 512, layers: int = 2,
                   ffn: int = 2048) -> float:
    """A forward pass of LMIM's decoder."""
    tokens = 1 + patches
    block = (linear(tokens, embed_dims, 8 * embed_dims + 2 * ffn)
             + 2 * attention(tokens, tokens, embed_dims))
    return (linear(1 + kept + tokens, dims, embed_dims) + layers * block
            + linear(tokens, embed_dims, dims))


def text_decoder(dims: int, characters: float, memory: int = 257,
                 embed_dims: int = 512, layers: int = 6, ffn: int = 256,
                 classes: int = 97) -> float:
    """Writing so many characters, each computed once and reading the others.

    A character reads those before it: half of them on average.
    """
    block = (linear(memory, embed_dims, 2 * embed_dims)
             + linear(characters, embed_dims, 6 * embed_dims + 2 * ffn)
             + attention(characters, memory, embed_dims)
             + attention(characters, characters / 2, embed_dims))
    return (linear(memory, dims, embed_dims) + layers * block
            + linear(characters, embed_dims, classes))
