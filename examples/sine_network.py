"""A small neural network learns the sine, with gradients from `trace.grad` and nothing but NumPy beside it.

visual-debug examples/sine_network.py:loss            # the tree of the loss, and the shape of every gradient
visual-debug examples/sine_network.py:loss -o out/    # how the adjoints flow back through the layers
python examples/sine_network.py                       # train it: 1000 steps of gradient descent, a few seconds
"""

import numpy as np

from visual_debug import visual_debug

X = np.linspace(-np.pi, np.pi, 40).reshape(1, -1)
Y = np.sin(X)


def new_parameters(hidden=16, seed=1):
    """Weights and biases of a 1-hidden-hidden-1 network, drawn at random."""
    draw = np.random.default_rng(seed).normal
    return {
        "W1": draw(size=(hidden, 1)),
        "b1": draw(size=(hidden, 1)),
        "W2": draw(size=(hidden, hidden)) / np.sqrt(hidden),
        "b2": np.zeros((hidden, 1)),
        "W3": draw(size=(1, hidden)) / np.sqrt(hidden),
        "b3": np.zeros((1, 1)),
    }


START = new_parameters()


def network(p, x):
    """Two hidden layers of tanh."""
    first = np.tanh(p["W1"] @ x + p["b1"])
    second = np.tanh(p["W2"] @ first + p["b2"])
    return p["W3"] @ second + p["b3"]


@visual_debug
def loss(p=START, x=X, y=Y):
    """The mean square error over all points."""
    return np.mean((network(p, x) - y) ** 2)


def train(steps=1000, rate=0.05, momentum=0.9):
    """Gradient descent with momentum. Returns the parameters, and the losses on the way."""
    p = START
    velocity = {name: np.zeros_like(value) for name, value in p.items()}
    losses = []
    for _ in range(steps):
        losses.append(float(loss(p)))
        gradient = loss.trace.grad("p")
        velocity = {name: momentum * velocity[name] - rate * slope for name, slope in gradient.items()}
        p = {name: value + velocity[name] for name, value in p.items()}
    return p, losses


def main():
    """Train, and print how the loss falls and what the network makes of a few angles."""
    p, losses = train()
    for step in range(0, len(losses), 250):
        print(f"step {step:5}: loss {losses[step]:.6f}")
    print(f"step {len(losses):5}: loss {losses[-1]:.6f}")
    for angle in (-2.0, 0.0, 1.0, 2.0):
        learnt = network(p, np.array([[angle]])).item()
        print(f"  sin({angle:+.1f}) = {np.sin(angle):+.4f}, learnt {learnt:+.4f}")


if __name__ == "__main__":
    main()
