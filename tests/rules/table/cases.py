"""The table: NumPy as people write it, one operation (or a few) with its keywords in each line.

A text is the body of a function of the operands that it names: an expression, or statements with a `return`.
"""

from __future__ import annotations

OPERATORS = r"""
a + b
a - v
a * x
a / p
p ** 1.7
p ** b
x ** a + y ** v
a ** 2
a ** 3 + a ** -1
a % 0.7
a // 0.7
-a
+a
abs(a)
2.0 / p
3 - a
x * v
v * np.float64(x)
np.float64(x) * y
a @ b.T
a @ v
v @ w
m @ m
c @ np.ones((4, 2))
a + b[:, :1]
a[:, None, :] * b[None, :, :]
v[:, None] * w
v[:, np.newaxis] - w[np.newaxis, :]
(a > 0) * a
a * (b < a) + v
divmod(a, 0.7)[1]
divmod(p, y)[1]
round(x * 3.1, 1) * x
a * np.pi - np.e
a + [1.0, 2.0, 3.0]
[1.0, 2.0, 3.0] * a
a + np.array([x, y, x * y])
b = a * 2; b += v; return b
b = a * 2; b -= a * a; return b
b = a * 2; b *= a; return b * b
b = a + 0; b /= p; return b
b = p * 1; b **= 2; return b
b = p * 1; b **= a; return b
b = a * 1; b %= 0.7; return b
b = m * 1; b @= m; return b
b = a * 2; c = b; b += 1; return c * b
b = np.zeros(3); b += v * w; return b
operator.iadd(a * 1, b)
operator.mul(a, b)
a.__add__(b)
a.__mul__(x)
"""

UFUNCS = r"""
np.exp(a)
np.exp2(a)
np.expm1(a)
np.log(p)
np.log2(p)
np.log10(p)
np.log1p(p)
np.sqrt(p)
np.cbrt(p)
np.square(a)
np.reciprocal(p)
np.sin(a)
np.cos(a)
np.tan(u)
np.sinh(a)
np.cosh(a)
np.tanh(a)
np.arcsin(u)
np.arccos(u)
np.arctan(a)
np.arcsinh(a)
np.arccosh(p + 1)
np.arctanh(u)
np.arctan2(a, b)
np.hypot(a, b)
np.logaddexp(a, b)
np.logaddexp2(a, v)
np.absolute(a)
np.fabs(a)
np.negative(a)
np.positive(a)
np.add(a, v)
np.subtract(a, v)
np.multiply(a, v)
np.divide(a, p)
np.true_divide(a, p)
np.power(p, 2.5)
np.float_power(p, b)
np.maximum(a, 0)
np.maximum(a, b)
np.minimum(a, v)
np.fmax(a, b)
np.fmin(a, b)
np.remainder(a, 0.7)
np.mod(a, 0.7)
np.fmod(a, 0.7)
np.floor_divide(a, 0.7)
np.copysign(a, b)
np.heaviside(a, 0.5)
np.sign(a) * a
np.floor(a) * a
np.ceil(a) + a
np.rint(a) * v
np.trunc(a) - a
np.deg2rad(a)
np.rad2deg(a)
np.radians(a)
np.degrees(a)
np.ldexp(a, 2)
np.nextafter(a, b)
np.sinc(a)
np.i0(a)
np.modf(a)[0]
np.frexp(a)[0]
np.divmod(a, 0.7)[1]
np.clip(a, -0.5, 1.0)
np.nan_to_num(a)
np.real(a) + np.imag(a)
np.conjugate(a)
np.unwrap(v)
np.round(a, 1) + a
np.exp(a, dtype=np.float64)
np.exp(a, where=a > 0, out=np.zeros((2, 3)))
np.multiply(a, b, out=np.empty((2, 3)))
b = np.empty((2, 3)); np.exp(a, out=b); return b * a
b = np.empty((2, 3)); np.exp(a, b); return b * a
b = a * 2; np.multiply(b, a, out=b); return b * a
b = a * 1; np.add(b, 1.0, out=b); np.sin(b, out=b); return b
b = a * 1; np.add(b, 1.0, out=b, where=a > 0); return b * b
b = np.zeros((2, 3)); np.multiply(a, 2, out=b[:, :]); return b + a
b = np.zeros((2, 3)); np.multiply(v, 2, out=b[0]); return b * a
np.divide(a, b, out=np.zeros_like(a), where=b > 0)
np.add(a, b, casting="same_kind")
np.sqrt(np.abs(a))
np.multiply.reduce(a)
np.multiply.reduce(a, axis=1)
np.add.reduce(a)
np.add.reduce(a, axis=None)
np.add.reduce(a, 1, keepdims=True)
np.add.reduce(a, axis=(0, 1))
np.maximum.reduce(a, axis=1)
np.minimum.reduce(a)
np.logaddexp.reduce(a, axis=1)
np.logaddexp.reduce(v)
np.hypot.reduce(v)
np.subtract.reduce(a, axis=1)
np.divide.reduce(p)
np.add.accumulate(a)
np.add.accumulate(a, axis=1)
np.multiply.accumulate(v)
np.multiply.accumulate(a, axis=1)
np.maximum.accumulate(q)
np.minimum.accumulate(a, 1)
np.subtract.accumulate(v)
np.multiply.outer(v, w)
np.add.outer(v, w)
np.subtract.outer(a, v)
np.maximum.outer(v, w)
np.power.outer(r, v)
np.add.reduceat(q, [0, 3, 5])
np.multiply.reduceat(q, [0, 3, 5])
np.add.reduceat(c, [0, 2], axis=1)
b = np.zeros(4); np.add.at(b, [0, 1, 1], v); return b * 2
b = q * 1; np.subtract.at(b, [0, 1, 1], v); return b
b = q * 1; np.multiply.at(b, [0, 1, 1], v); return b
b = q * 1; np.negative.at(b, [0, 3]); return b
b = q * 1; np.maximum.at(b, [0, 1], w[:2]); return b
"""

INDEXING = r"""
a[0]
a[-1]
a[1, 2]
a[0][1] * a[1][0]
a[:, 1]
a[..., 0]
a[::-1]
a[:, ::-2]
a[1:, :2]
a[None]
a[:, None]
c[0, ..., 1]
c[:, 1:, None, ::2]
q[2:-1]
q[::3]
q[[0, 0, 3]]
q[np.array([1, 5, 5])]
q[-3:] * q[:3]
q[1:] - q[:-1]
a[[0, 1], [2, 0]]
a[[1, 0]]
a[:, [0, 2, 2]]
a[:, (1, 1)]
np.sum(a)[..., np.newaxis]
a.sum()[()] * v
np.max(q)[None, None] * a
a[(0, 0, 1), (1, 1, 2)]
a[((0, 0), (1, 1))]
a[((0, 0),)]
a[range(2), range(1, 3)]
a[..., (0, 2, 0)]
a[np.int64(1), (2, 2)]
a[np.array([[0], [1]]), np.array([0, 2])]
a[np.ix_([0, 1], [0, 2])]
c[:, [0, 2], 1:3]
c[[0, 1], :, [1, 2]]
c[1, [0, 1], :]
a[a > 0]
a[a > 0].sum() * a
a[[True, False]]
a[:, np.array([True, False, True])]
q[np.argsort(q)]
q[np.where(q > 0)]
q[np.nonzero(q > 0)[0]]
q[np.argmax(q)]
c[c > 0.2]
c[0][1][2]
c[0, 1].T
a.flat[2]
a.flat[1:4]
a.item(2)
a.item(1, 2)
q.take([0, 2])
np.take(q, [[0, 1], [2, 2]])
np.take(a, [0, 2], axis=1)
np.take(q, [9, -1], mode="wrap")
np.take_along_axis(a, np.argsort(a, axis=1), axis=1)
np.take_along_axis(a, np.array([[0], [2]]), 1)
np.choose([0, 1, 0], [v, w])
np.choose(np.array([[0, 1, 1], [1, 0, 0]]), (a, b))
np.compress([True, False, True], v)
np.compress([False, True], a, axis=0)
a.compress([True, True, False], axis=1)
np.extract(a > 0, a)
np.diag(m)
np.diag(v)
np.diag(m, 1)
np.diagonal(c, axis1=0, axis2=1)
m.diagonal()
np.tril(m)
np.triu(m, 1)
m[np.diag_indices(3)]
m[np.triu_indices(3, 1)]
m[np.tril_indices(3)]
a[0, 0] + a[0, 0] * a[1, 1]
b = a.copy(); b[0] = v; return b
b = a.copy(); b[:, 1] = 0; return b * a
b = a.copy(); b[0, 1] = x; return b
b = a.copy(); b[0, 1] += x; return b * b
b = a.copy(); b[:, 1:] *= 2; return b
b = a.copy(); b[0] += b[1]; return b
b = a.copy(); b[...] = x; return b
b = a.copy(); b[:] = v; return b
b = a.copy(); b[b < 0] = 0; return b
b = a.copy(); b[b < 0] *= 0.1; return b
b = a.copy(); b[[0, 1], [2, 0]] = w[:2]; return b
b = q.copy(); b[[1, 1, 2]] = v; return b
b = q.copy(); b[(1, 1, 2),] = v; return b
b = a.copy(); b[:, (1, 1)] = a[:, :2]; return b * a
b = a.copy(); b[:, (1, 1)] += a[:, :2]; return b * a
b = a.copy(); np.add.at(b, ((0, 0), (1, 1)), v[:2]); return b
b = q.copy(); b[[1, 1, 2]] += v; return b
b = q.copy(); b[1:4] = b[2:5]; return b
b = q.copy(); b[1:-1] = b[1:-1] + 0.1 * (b[2:] - 2 * b[1:-1] + b[:-2]); return b
b = q.copy(); b[1:-1] += 0.1 * (b[2:] - 2 * b[1:-1] + b[:-2]); return b
b = np.zeros((2, 3)); b[0] = v; b[1] = w; return b * a
b = np.empty(3); b[0] = x; b[1] = y; b[2] = x * y; return b
b = np.zeros(8); b[::2] = q[:4]; b[1::2] = q[4:] ** 2; return b
b = m.copy(); b[[0, 1]] = b[[1, 0]]; return b @ m
b = m.copy(); b[0], b[2] = b[2].copy(), b[0].copy(); return b * m
b = a.copy(); c = b[0]; c *= 2; return b
b = a.copy(); c = b[0]; c[1] = x; return b * a
b = a.copy(); c = b[:, 1:]; d = c[0]; d += w[:2]; return b
b = a.copy(); c = b.T; c[0] = x; return b
b = a.copy(); c = b.reshape(3, 2); c[0] *= 3; return b
b = a.copy(); c = b.ravel(); c[2:4] = 0; return b
b = a.copy(); c = b[0]; b[0, 0] = x; return c * v
b = a.copy(); c = b[0]; d = b[0] * 1; b *= 2; return c * d
b = a * 2; c = b; b = b + 1; return b * c
b = a.copy(); b.flat[1] = x; return b
b = a.copy(); b.flat = 2.0; return b * a
b = a.copy(); b.T[1] = w[:2]; return b
b = a.copy(); b[0][1] = x; return b
b = a.copy(); b.fill(x); return b
b = a.copy(); np.put(b, [0, 4], [x, y]); return b
b = a.copy(); b.put([0, 4], w[:2]); return b
b = a.copy(); np.copyto(b, v); return b
b = a.copy(); np.copyto(b, v, where=b < 0); return b
b = a.copy(); np.place(b, b < 0, [x]); return b
b = a.copy(); np.putmask(b, b < 0, 0.5); return b
b = m.copy(); np.fill_diagonal(b, x); return b
b = m.copy(); np.fill_diagonal(b, v); return b @ v
b = a.copy(); np.put_along_axis(b, np.array([[0], [2]]), x, axis=1); return b
b = q.copy(); b.sort(); return b * q
b = a.copy(); b.sort(axis=0); return b
b = a.copy(); b.partition(1); return b[:, 1]
b = c.copy(); b[0, :, 1] = v; b[1] -= b[0]; return b
b = q.copy()\nfor i in range(1, len(b)): b[i] = b[i - 1] * 0.5 + q[i]\nreturn b
b = q.copy()\nfor i in range(1, len(b)): b[i] += b[i - 1]\nreturn b
b = np.zeros(5); b[0] = x\nfor i in range(4): b[i + 1] = b[i] + 0.1 * np.sin(b[i])\nreturn b
s = 0.0\nfor i in range(len(q)): s += q[i] * q[-i]\nreturn s
s = 0.0\nfor e in q: s += e ** 2\nreturn s
s = 0.0\nfor row in a: s = s + row @ row\nreturn s
s = 0.0\nfor row in a:\n    for e in row: s += np.sin(e)\nreturn s
s = 0.0\nfor i, row in enumerate(a): s = s + i * row.sum() + row[0]\nreturn s
s = 0.0\nfor e, f in zip(v, w): s += e * f\nreturn s
s = 0.0\nfor e in a.flat: s += e * e\nreturn s
s = 0.0\nfor i, e in np.ndenumerate(a): s += e * (i[0] + 2 * i[1])\nreturn s
s = 0.0\nfor i in np.ndindex(2, 3): s += a[i] * b[i]\nreturn s
e, f, g = v; return e * f + g
(e, f, g), h = a; return e * f + g * h
*rest, last = a; return last * rest[0]
first, *rest = q; return first * sum(rest)
np.array([e * 2 for e in v])
np.array([row.sum() for row in a])
np.array([[a[i, j] * b[i, j] for j in range(3)] for i in range(2)])
sum(v)
max(v) * min(v)
sum(a)
np.sum([e ** 2 for e in v])
math.sin(v[0]) * math.exp(v[1])
math.fsum(v) + math.hypot(v[0], v[1])
float(v[0]) * v[1]
v.tolist()[1] * v
"""

SHAPING = r"""
a.T
a.T @ b
a.mT @ b
np.transpose(c, (2, 0, 1))
c.transpose(2, 0, 1)
c.transpose()
a.reshape(3, 2)
a.reshape((3, -1))
a.reshape(-1, order="F")
np.reshape(c, (4, 6))
np.reshape(a, -1)
a.ravel()
np.ravel(a, order="F")
a.flatten()
np.squeeze(v[None, :, None])
v[None].squeeze()
v[None].squeeze(0)
np.expand_dims(a, 0)
np.expand_dims(a, (0, 2))
np.swapaxes(c, 0, 2)
c.swapaxes(1, 2)
np.moveaxis(c, 0, -1)
np.rollaxis(c, 2)
np.atleast_1d(x)
np.atleast_2d(v)
np.atleast_3d(a)
np.broadcast_to(v, (2, 3))
np.broadcast_arrays(v, a)[0] * a
np.flip(a)
np.flip(a, 1)
np.fliplr(a)
np.flipud(a)
np.rot90(a)
np.roll(a, 1)
np.roll(a, (1, 2), axis=(0, 1))
np.repeat(v, 2)
np.repeat(a, [1, 2], axis=0)
a.repeat(2, axis=1)
np.tile(v, 3)
np.tile(a, (2, 1))
np.pad(v, 2)
np.pad(a, ((1, 0), (0, 2)))
np.pad(v, (1, 1), mode="edge")
np.pad(v, 1, constant_values=3.0)
np.pad(a, 1, mode="reflect")
np.pad(a, 1, "wrap")
np.pad(q, 2, mode="symmetric")
np.resize(v, (2, 3))
np.delete(q, 2)
np.delete(a, 1, axis=1)
np.insert(v, 1, 5.0)
np.insert(v, 1, x)
np.append(v, w)
np.append(v, x)
np.append(a, b, axis=0)
np.concatenate([v, w])
np.concatenate((a, b), axis=1)
np.concatenate([a, b], axis=None)
np.concatenate([v, [x, y]])
np.stack([v, w])
np.stack((v, w), axis=1)
np.stack([x, y])
np.vstack([v, w])
np.vstack((a, v))
np.hstack([v, w])
np.hstack((a, b))
np.dstack((a, b))
np.column_stack([v, w])
np.column_stack((v, m))
np.block([[m, m], [m, m * 2]])
np.block([v, w])
np.r_[v, x, w]
np.c_[v, w]
np.split(q, 2)[0] * np.split(q, 2)[1]
np.split(q, [3, 5])[1]
np.array_split(q, 3)[2]
np.hsplit(a, 3)[1]
np.vsplit(a, 2)[1]
np.dsplit(c, 2)[0]
e, f = np.split(q, 2); return e * f
b = np.array([x, y, x * y]); return b * b
np.array([[x, 1.0], [2.0, y]])
np.array((x, y), dtype=float)
np.array([v, w])
np.array([v, [x, y, 1.0]])
np.array(a)
np.array(a, copy=True) * a
np.asarray(a) * 2
np.asarray([x, y])
np.asarray(v, dtype=np.float64)
np.ascontiguousarray(a.T)
np.copy(a)
a.astype(float)
a.astype(np.float64, copy=False)
np.full(3, x)
np.full((2, 3), v)
np.full_like(a, x)
np.full(3, fill_value=x)
np.ones(3) * x
np.ones_like(a) * a
np.zeros_like(a) + a
np.eye(3) * x
np.identity(3) * v
np.linspace(x, y, 5)
np.linspace(0, x, 4)
np.linspace(x, y, 5, endpoint=False)
np.linspace(v, w, 3)
np.linspace(v, 1.0, num=3, axis=1)
np.logspace(x, y, 4)
np.geomspace(x, y, 4)
np.arange(4) * x
np.arange(5.0) ** x
np.meshgrid(v, w)[0] * np.meshgrid(v, w)[1]
np.meshgrid(v, r, indexing="ij")[1]
e, f = np.meshgrid(v, w); return e * f
np.stack(np.meshgrid(v, w), axis=-1)
np.concatenate(np.meshgrid(v, w))
np.array(np.meshgrid(v, w, indexing="ij")).reshape(2, -1)
np.vstack(np.broadcast_arrays(v, x))
np.concatenate(list(map(np.ravel, np.meshgrid(v, w))))
sum(map(np.sum, [a, v, w]))
sum(map(np.linalg.norm, a))
max(map(np.linalg.norm, a))
list(map(np.cumsum, a))[1]
np.array([*map(np.dot, a, a)])
sum(map(abs, v))
np.array(list(map(np.mean, a)))
np.diagflat(v)
np.vander(v)
np.vander(v, 4, increasing=True)
np.fromiter((e * 2 for e in v), float)
np.fromiter(map(lambda e: e**2, v), dtype=float, count=2)
np.fromiter(iter=v, dtype=float).prod()
np.array(x) * y
np.float64(x) * v
np.float64(v[0] * x)
np.asarray(x)[()]
np.array([x])[0]
np.triu(a) + np.tril(b)
np.kron(v, w)
np.kron(m, a)
"""

REDUCTIONS = r"""
a.sum()
np.sum(a)
np.sum(a, axis=0)
np.sum(a, 1)
a.sum(axis=-1, keepdims=True)
np.sum(c, axis=(0, 2))
np.sum(a, where=a > 0)
np.sum(a, initial=3.0)
np.sum(a, dtype=np.float64)
np.sum(a, axis=0, out=np.zeros(3))
np.sum([v, w])
np.sum([x, y, x * y])
a.mean()
a.mean(0)
np.mean(c, axis=(0, 1), keepdims=True)
np.mean(a, where=a > 0)
np.mean([x, y])
a.var()
np.var(a, axis=0, ddof=1)
np.var(a, where=a > -1)
a.std()
a.std(axis=1)
np.std(a, ddof=1, keepdims=True)
np.std(a, axis=0, where=b > -2)
a.prod()
np.prod(a, axis=0)
np.prod(c, axis=(0, 2))
np.prod(a, where=a > 0)
np.prod(a, initial=2.0)
a.max()
np.max(a, axis=0)
np.max(c, axis=(1, 2), keepdims=True)
np.max(a, axis=1, initial=1.0)
np.amax(a)
a.min(axis=1)
np.amin(a, 0)
np.min(a, initial=9.0, where=a > 0)
np.ptp(a)
np.ptp(a, axis=1)
np.median(a)
np.median(a, axis=0)
np.median(q)
np.median(c, axis=(0, 1))
np.median(a, axis=1, keepdims=True)
np.percentile(q, 30)
np.percentile(a, 75, axis=1)
np.percentile(a, [10, 60], axis=0)
np.percentile(q, 40, method="lower")
np.quantile(q, 0.3)
np.quantile(q, [0.2, 0.8])
np.quantile(q, 0.33, method="midpoint")
np.quantile(q, x)
np.average(v)
np.average(a, axis=0)
np.average(v, weights=p[0])
np.average(a, axis=1, weights=r[:3])
np.cumsum(q)
np.cumsum(a, axis=1)
a.cumsum()
np.cumsum(c, axis=0, out=np.empty((2, 3, 4)))
np.cumprod(q)
np.cumprod(a, axis=0)
a.cumprod(1)
np.nansum(a)
np.nansum(a, axis=0)
np.nanmean(a, axis=1)
np.nanmean(a)
np.nanvar(a)
np.nanstd(a, axis=0)
np.nanprod(a)
np.nanmax(a, axis=0)
np.nanmin(a)
np.nanmedian(a)
np.nanpercentile(q, 30)
np.nanquantile(q, 0.3)
np.nancumsum(q)
np.nancumprod(q)
np.trapezoid(q)
np.trapezoid(q, dx=0.5)
np.trapezoid(r ** 2, r)
np.trapezoid(a, axis=0)
np.trapezoid(a, x=v, axis=1)
np.diff(q)
np.diff(q, 2)
np.diff(a, axis=0)
np.diff(a, prepend=0.0)
np.diff(q, prepend=x, append=y)
np.ediff1d(q)
np.gradient(q)
np.gradient(q, 0.5)
np.gradient(r ** 2, r)
np.gradient(c, axis=1)
np.gradient(np.outer(r, r))[0]
np.gradient(q, edge_order=2)
np.count_nonzero(a) * a
np.argmax(a) * a
np.all(a > -9) * a
np.cov(a)
np.cov(v, w)
np.corrcoef(a)
np.corrcoef(v, w)
np.linalg.norm(v)
"""

SELECTING = r"""
np.where(a > 0, a, b)
np.where(a > 0, a, 0)
np.where(a > 0, v, x)
np.where([True, False, True], v, w)
np.clip(a, 0, None)
np.clip(a, None, 1.0)
np.clip(a, v - 1, v + 1)
a.clip(-0.5, 0.5)
a.clip(min=0)
np.clip(a, a_min=-0.5, a_max=x)
np.select([a < 0, a > 1], [a ** 2, b], 0.0)
np.select([a < 0, a > 1], [a ** 2, b], default=x)
np.select([v < 0, v > 1], [v * 2, w])
np.piecewise(q, [q < 0, q >= 0], [lambda e: -e, lambda e: e ** 2])
np.piecewise(q, [q < 0], [lambda e: 2 * e, 7.0])
np.interp(x, r, r ** 2)
np.interp(q * 1.1, r, r ** 2)
np.interp([0.5, 2.0], r, q[:5])
np.interp(v, r, q[:5], left=0.0, right=1.0)
np.sort(q)
np.sort(a, axis=0)
np.sort(a, axis=None)
np.sort(a, kind="stable")
sorted(v)[1] * v
np.partition(q, 3)[3]
np.partition(a, 1, axis=1)[:, 1]
np.convolve(q, v)
np.convolve(q, v, "same")
np.convolve(q, v, mode="valid")
np.convolve(v, q, mode="valid")
np.correlate(q, v)
np.correlate(q, v, "full")
np.correlate(q, v, mode="same")
np.polyval(v, x)
np.polyval(v, q)
np.polyval([x, y, 1.0], 2.0)
np.polyval([1.0, 2.0, 3.0], v)
np.polyfit(r, q[:5], 2)
np.polyadd(v, w)
np.polysub(v, w)
np.polymul(v, w)
np.polyder(v)
np.polyint(v)
np.poly(v)
np.unique(q)
np.bincount([0, 1, 1], weights=v)
np.digitize(q, [0.0, 1.0]) * q
np.searchsorted(r, 1.0) * r
np.apply_along_axis(lambda e: e * e.sum(), 1, a)
np.apply_along_axis(np.sum, 0, a)
np.lib.stride_tricks.sliding_window_view(q, 3).sum(axis=1) * 2
np.nan_to_num(a, nan=0.0)
np.triu(m).sum() * m.trace()
np.fabs(a).max() * a
"""

LINEAR = r"""
np.dot(v, w)
np.dot(a, v)
np.dot(a, b.T)
np.dot(x, a)
np.dot(v, a.T)
a.dot(v)
a.dot(b.T)
np.dot(c, np.ones(4))
np.dot(a, b.T, out=np.zeros((2, 2)))
np.matmul(a, b.T)
np.matmul(c, np.ones((4, 2)))
np.matmul(a, c)
np.matmul(a, b.T, out=np.empty((2, 2)))
np.inner(v, w)
np.inner(a, b)
np.outer(v, w)
np.outer(a, v)
np.vdot(v, w)
np.vdot(a, b)
np.vecdot(a, b)
np.tensordot(a, b)
np.tensordot(a, b, axes=(0, 0))
np.tensordot(a, v, 1)
np.tensordot(c, a, axes=([0, 1], [0, 1]))
np.tensordot(v, w, 0)
np.einsum("ij,ij->", a, b)
np.einsum("ij,kj->ik", a, b)
np.einsum("ij,j", a, v)
np.einsum("ij->ji", a)
np.einsum("ii", m)
np.einsum("ii->i", m)
np.einsum("i,j->ij", v, w)
np.einsum("ij,jk,kl->il", a, m, m)
np.einsum("...j,j->...", a, v)
np.einsum("...ij,jk", c, np.ones((4, 2)))
np.einsum("bij,bkj->bik", c, c)
np.einsum(a, [0, 1], b, [0, 1], [0])
np.einsum("ij,ij->i", a, b, optimize=True)
np.einsum("ii,ij->j", m, m)
np.cross(v, w)
np.cross(a, b)
np.cross(a, v)
np.kron(a, b)
np.trace(m)
m.trace()
np.trace(m, 1)
np.trace(c, axis1=1, axis2=2)
np.linalg.norm(v, 1)
np.linalg.norm(v, 2)
np.linalg.norm(v, 3)
np.linalg.norm(v, np.inf)
np.linalg.norm(v, -np.inf)
np.linalg.norm(v, 0.5)
np.linalg.norm(v, -1)
np.linalg.norm(v, 0) * v
np.linalg.norm(a)
np.linalg.norm(a, "fro")
np.linalg.norm(a, 1)
np.linalg.norm(a, -1)
np.linalg.norm(a, np.inf)
np.linalg.norm(a, -np.inf)
np.linalg.norm(a, 2)
np.linalg.norm(a, -2)
np.linalg.norm(a, "nuc")
np.linalg.norm(a, axis=0)
np.linalg.norm(a, axis=1, keepdims=True)
np.linalg.norm(c, axis=(1, 2))
np.linalg.norm(c, ord=1, axis=(0, 2))
np.linalg.norm(c, ord=2, axis=(0, 2))
np.linalg.norm(a, ord=np.inf, axis=1)
np.linalg.vector_norm(a)
np.linalg.matrix_norm(a)
np.linalg.inv(m)
np.linalg.inv(np.stack([m, m.T]))
np.linalg.pinv(t)
np.linalg.pinv(m)
np.linalg.pinv(t.T)
np.linalg.solve(m, v)
np.linalg.solve(m, a.T)
np.linalg.solve(np.stack([m, m.T]), np.stack([m, m]))
np.linalg.det(m)
np.linalg.det(np.stack([m, m.T]))
np.linalg.slogdet(m)[1]
np.linalg.slogdet(m).logabsdet
sign, logdet = np.linalg.slogdet(m); return sign * logdet
np.linalg.cholesky(s)
np.linalg.cholesky(np.stack([s, 2 * s]))
np.linalg.cholesky(m @ m.T + np.eye(3))
np.linalg.qr(m)[0]
np.linalg.qr(m)[1]
np.linalg.qr(t)[0]
q, r = np.linalg.qr(t); return q @ r * r[0, 0]
np.linalg.qr(t, mode="r")
np.linalg.qr(t).R
np.linalg.eigh(s)[0]
np.linalg.eigh(s).eigenvalues
np.linalg.eigvalsh(s)
w, V = np.linalg.eigh(s); return V * V
w, V = np.linalg.eigh(s); return (V * np.sqrt(w)) @ V.T
w, V = np.linalg.eigh(m + m.T); return np.abs(V[:, 0])
np.linalg.eigh(s, UPLO="U")[0]
np.linalg.eig(m)[0].real
np.linalg.eigvals(m).real
np.linalg.svd(a)[1]
np.linalg.svd(a, compute_uv=False)
np.linalg.svdvals(a)
U, S, Vh = np.linalg.svd(a, full_matrices=False); return (U * S ** 2) @ Vh
U, S, Vh = np.linalg.svd(t, full_matrices=False); return U * U
U, S, Vh = np.linalg.svd(t, full_matrices=False); return np.abs(Vh)
U, S, Vh = np.linalg.svd(m); return U @ np.diag(S) @ Vh
np.linalg.svd(a, full_matrices=False).S
np.linalg.lstsq(t, q[:4], rcond=None)[0]
np.linalg.lstsq(t, q.reshape(4, 2), rcond=None)[0]
c, res, rank, sv = np.linalg.lstsq(t, q[:4], rcond=None); return c * 2
np.linalg.lstsq(t, q[:4], rcond=None)[1]
e, *_ = np.linalg.lstsq(t, q[:4], rcond=None); return e
np.linalg.lstsq(t, q[:4], rcond=None)[3]
np.linalg.matrix_power(m, 3)
np.linalg.matrix_power(m, 0)
np.linalg.matrix_power(m, -2)
np.linalg.multi_dot([a, m, v])
np.linalg.multi_dot([a, m, m, b.T])
np.linalg.cond(m)
np.linalg.matrix_rank(m) * m
np.linalg.tensorinv(m.reshape(3, 3), ind=1)
np.linalg.tensorsolve(m, v)
np.linalg.outer(v, w)
np.linalg.cross(v, w)
np.linalg.trace(m)
np.linalg.diagonal(m)
np.linalg.vecdot(a, b)
m.T @ np.linalg.inv(m) @ v
"""

SPECTRAL = r"""
np.abs(np.fft.fft(q))
np.fft.fft(q).real
np.fft.fft(q, 5).imag
np.fft.fft(q, n=12).real
np.fft.ifft(np.fft.fft(q) * np.arange(8)).real
np.abs(np.fft.rfft(q)) ** 2
np.fft.rfft(q, norm="ortho").real
np.fft.irfft(np.fft.rfft(q))
np.fft.irfft(np.fft.rfft(q) * np.exp(-np.arange(5)), n=8)
np.fft.irfft(np.fft.rfft(q[:7]), 7)
np.fft.fft2(a).real
np.fft.ifft2(np.fft.fft2(a) ** 2).real
np.fft.rfft2(a).imag
np.fft.irfft2(np.fft.rfft2(c[0]), s=(3, 4))
np.fft.fftn(c).real
np.fft.fftn(c, axes=(0, 2)).real
np.fft.rfftn(c).real
np.fft.irfftn(np.fft.rfftn(c), s=(2, 3, 4), axes=(0, 1, 2))
np.fft.fft(a, axis=0).real
np.fft.fftshift(q)
np.fft.ifftshift(q)
np.fft.fftshift(a, axes=1)
np.fft.fftfreq(8) * q
np.fft.hfft(q)
np.fft.ihfft(q).real
np.sum(np.abs(np.fft.fft(q)) ** 2)
np.angle(np.fft.fft(q)[1])
np.real(np.fft.ifft(np.fft.fft(q) * np.conj(np.fft.fft(q))))
np.abs(v + 1j * w)
np.abs(np.exp(1j * v))
np.exp(1j * v).real
(np.exp(1j * v) * w).imag
np.angle(v + 1j * w)
np.real(h * h)
np.imag(h ** 2)
np.abs(h)
np.abs(h) ** 2
(h * h.conj()).real
(h * np.conj(h)).real.sum()
np.angle(h)
np.linalg.norm(h)
np.vdot(h, h).real
np.sum(np.abs(k @ h) ** 2)
np.exp(h).real
np.log(h).imag
np.sqrt(h).real
np.sin(h).real
np.linalg.inv(k).real
np.linalg.solve(k, h).imag
np.linalg.det(k).real
np.fft.fft(h).real
np.abs(np.fft.ifft(h))
np.var(h)
np.std(h)
np.mean(h).real
np.prod(h).real
np.linalg.eigvalsh(k @ k.conj().T)
np.linalg.svd(k, compute_uv=False)
np.linalg.slogdet(k)[1]
h.real * h.imag
np.where(h.real > 0, h, 0).imag
b = np.zeros(3, complex); b[:] = v; b[1] *= 1j; return np.abs(b * h)
b = np.zeros(3, complex); b.real = v; b.imag = w; return np.abs(b)
"""

SPECIAL = r"""
scipy.special.expit(a)
scipy.special.logit(p / 5)
scipy.special.erf(a)
scipy.special.erfc(a)
scipy.special.erfinv(u)
scipy.special.gamma(p)
scipy.special.gammaln(p)
scipy.special.digamma(p)
scipy.special.psi(p)
scipy.special.polygamma(1, p)
scipy.special.beta(p, 1.5)
scipy.special.betaln(p, y)
scipy.special.j0(a)
scipy.special.j1(a)
scipy.special.jv(2, p)
scipy.special.jn(2, p)
scipy.special.y0(p)
scipy.special.y1(p)
scipy.special.i0(a)
scipy.special.i1(a)
scipy.special.iv(2, p)
scipy.special.logsumexp(a)
scipy.special.logsumexp(a, axis=1)
scipy.special.logsumexp(a, axis=0, keepdims=True)
scipy.special.softmax(a, axis=1)
scipy.special.log_softmax(a, axis=1)
scipy.special.xlogy(p, p)
scipy.special.xlog1py(p, p)
scipy.special.entr(p)
scipy.special.rel_entr(p, p[::-1])
scipy.special.kl_div(p, p[::-1])
scipy.special.ndtr(a)
scipy.special.log_ndtr(a)
scipy.special.ndtri(p / 5)
scipy.special.log1p(p)
scipy.special.expm1(a)
scipy.special.cbrt(p)
scipy.special.exprel(a)
scipy.special.erf(x)
scipy.special.gamma(y)
scipy.special.gammainc(1.5, p)
scipy.special.gammaincc(1.5, p)
scipy.special.log_expit(a)
scipy.special.huber(1.0, a)
scipy.special.sinc(a)
scipy.special.comb(5, 2) * x
math.erf(x) + math.gamma(y) + math.lgamma(y)
"""

#: Bodies as people write them.
PROGRAMS = r"""
e = np.exp(a - a.max(axis=1, keepdims=True)); return e / e.sum(axis=1, keepdims=True)
np.tanh(a @ m + v) @ w
np.mean((a @ w - x) ** 2)
-np.mean(np.log(np.exp(a)[np.arange(2), [0, 2]] / np.exp(a).sum(1)))
b = (a - a.mean(axis=0)) / (a.std(axis=0) + 1e-3); return b * v
d = a[:, None, :] - b[None, :, :]; return np.sqrt((d ** 2).sum(-1))
np.maximum(0, a @ m) @ v
b = np.zeros(8)\nfor i in range(6): b[i:i + 3] += q[i] * v\nreturn b
L = np.zeros((3, 3))\nfor i in range(3):\n    for j in range(i + 1):\n        e = s[i, j] - L[i, :j] @ L[j, :j]\n        L[i, j] = np.sqrt(e) if i == j else e / L[j, j]\nreturn L
A = m.copy(); b = v.copy()\nfor i in range(3):\n    for j in range(i + 1, 3):\n        f = A[j, i] / A[i, i]; A[j] -= f * A[i]; b[j] -= f * b[i]\nz = np.zeros(3)\nfor i in range(2, -1, -1): z[i] = (b[i] - A[i, i + 1:] @ z[i + 1:]) / A[i, i]\nreturn z
A = m[::-1].copy()\nfor i in range(3):\n    j = i + np.argmax(np.abs(A[i:, i]))\n    A[[i, j]] = A[[j, i]]\n    A[i + 1:] -= np.outer(A[i + 1:, i] / A[i, i], A[i])\nreturn np.prod(np.diag(A))
z = v.copy()\nfor _ in range(20): z = z - 0.1 * (s @ z - w)\nreturn z
z = v / np.linalg.norm(v)\nfor _ in range(10): z = s @ z; z /= np.linalg.norm(z)\nreturn z @ s @ z
D = np.full((4, 4), np.inf); D[0, 0] = 0.0\nfor i in range(3):\n    for j in range(3): D[i + 1, j + 1] = abs(v[i] - w[j]) + min(D[i, j + 1], D[i + 1, j], D[i, j])\nreturn D[3, 3]
"""

AS_WRITTEN = r"""
np.add(a, b, out=np.zeros((2, 3))) * a
np.multiply(a, b, where=a > 0, out=np.ones((2, 3)))
np.exp(a, where=a < 1, out=a * 2)
o = np.empty_like(a); np.sin(a, out=o); np.multiply(o, o, out=o); return o
o = np.zeros((2, 3)); np.add(a, b, o); return o * a
np.add.reduce(a, axis=1, keepdims=True) * b
np.add.reduce(a, axis=None, initial=x)
np.multiply.reduce(p, axis=0, where=p > 0.5)
np.maximum.reduce(a, axis=1, initial=x)
np.minimum.reduce(a, axis=0, initial=y, where=a > -1)
np.hypot.reduce(a, axis=0)
np.subtract.reduce(q)
np.true_divide.reduce(p, axis=1)
np.subtract.accumulate(q)
np.multiply.accumulate(p, axis=1)
np.minimum.accumulate(q)
np.add.reduceat(a, [0, 2], axis=1)
np.multiply.reduceat(q, [0, 4])
np.maximum.reduceat(q, [0, 3, 6])
np.subtract.outer(v, w)
np.multiply.outer(v, a)
np.power.outer(p[0], v)
np.arctan2.outer(v, w)
z = q * 1; np.add.at(z, [0, 2, 2], x); return z
z = q * 1; np.add.at(z, [0, 2, 2], v); return z * z
z = q * 1; np.multiply.at(z, [1, 3], v[:2]); return z
z = q * 1; np.subtract.at(z, np.array([1, 1, 4]), w); return z
z = a * 1; np.add.at(z, (slice(None), [0, 0]), b[:, :2]); return z
z = q * 1; np.maximum.at(z, [0, 1], v[:2]); return z
z = p * 1; np.negative.at(z, ([0, 1], [0, 1])); return z
z = p * 1; np.exp.at(z, ([0, 1], [0, 1])); return z
np.nansum(np.where(a > 0, a, np.nan))
np.nanmean(np.where(a > 0, a, np.nan), axis=1)
np.nanstd(np.where(a > 0, a, np.nan))
np.nanvar(np.where(a > -1, a, np.nan), axis=0, ddof=0)
np.nanmax(np.where(a > 0, a, np.nan), axis=0)
np.nanmin(np.where(a < 2, a, np.nan))
np.nanprod(np.where(a > 0, a, np.nan), axis=1)
np.nancumsum(np.where(a > 0, a, np.nan), axis=1)
np.nancumprod(np.where(a > 0, a, np.nan))
np.nanmedian(np.where(a > 0, a, np.nan))
np.nanmedian(np.where(a > -1, a, np.nan), axis=1)
np.nanpercentile(np.where(a > -1, a, np.nan), 30)
np.nan_to_num(np.where(a > 0, a, np.nan))
np.linalg.norm(a, 'nuc')
np.linalg.norm(m, 2)
np.linalg.norm(m, -2)
np.linalg.norm(m, 'fro')
np.linalg.norm(m, 1)
np.linalg.norm(m, np.inf)
np.linalg.cond(m, 'fro')
np.linalg.cond(m, 1)
np.linalg.tensorinv(np.eye(6).reshape(2, 3, 6) + a[:, :, None] / 50, ind=2)
np.linalg.eigvals(s).real
np.linalg.eigvals(m)
np.linalg.eig(s)[0].real
u_, s_, vt = np.linalg.svd(a, full_matrices=False); return (u_ * s_) @ vt
np.linalg.qr(t)[1]
np.linalg.qr(t, mode='r')
np.linalg.qr(m, mode='complete')[1]
np.linalg.pinv(t, rcond=1e-10)
np.linalg.pinv(s, hermitian=True)
np.linalg.matrix_rank(m) * x
np.linalg.vector_norm(a, axis=1)
np.linalg.vector_norm(v, ord=3)
np.linalg.matrix_transpose(a) @ b
np.linalg.matmul(a, b.T)
np.linalg.tensordot(a, b, axes=2)
np.linalg.multi_dot([v, m, w])
np.linalg.inv(np.stack([m, s]))
np.linalg.solve(np.stack([m, s]), np.stack([a.T, b.T]))
np.linalg.det(np.stack([m, s]))
np.matvec(m, v)
np.vecmat(v, m)
np.fft.rfft(q).real
np.fft.irfft(np.fft.rfft(q) * 2)
np.fft.irfft(np.fft.rfft(q), n=7)
np.fft.irfft(np.fft.rfft(q)[:3], 8)
np.fft.fft2(a).imag
np.fft.ifft2(np.fft.fft2(a) * b).real
np.fft.rfft2(a).real
np.fft.irfft2(np.fft.rfft2(np.concatenate([a, b, a[:, :1] @ np.ones((1, 3))])), s=(6, 3))
np.fft.rfftn(c, axes=(0, 1)).real
np.fft.irfftn(np.fft.rfftn(c), s=c.shape)
np.fft.fftshift(a)
np.fft.ifftshift(a, axes=1)
np.fft.fftshift(np.fft.fft(q)).real
np.fft.fft(q, n=5).real
np.fft.fft(q, n=12, norm='ortho').imag
np.fft.hfft(h).real
np.abs(np.fft.fft(q, norm='forward'))
np.einsum('ij,kj->ik', a, b)
np.einsum('ij,kj', a, b)
np.einsum('ii', m)
np.einsum('ii->i', m)
np.einsum('ij->ji', a)
np.einsum('ij,jk,lk->il', a, m, b, optimize=True)
np.einsum('ij,jk,lk->il', a, m, b, optimize='greedy')
np.einsum('...j,j->...', c, q[:4])
np.einsum('i,i,i', v, w, v)
np.einsum(a, [0, 1], b, [2, 1], [0, 2])
np.einsum('bij,bjk->bik', c, np.swapaxes(c, 1, 2))
np.einsum('ij,ij->', a, b, dtype=float)
np.einsum('ij,kj->ik', a, b, out=np.zeros((2, 2)))
np.array(x) * 2
np.array(x) + v
np.sum(np.array([])) + x
np.zeros((0, 3)) @ v
np.sum(a[:0]) + x
np.concatenate([a[:0], b])
a[a > 100].sum() + x
np.prod(v[:0]) * x
v[::-1] * w
v[::-1][::2]
z = v * 1; z[::-1] += w; return z
z = q * 1; z[::-2] = v.sum(); return z
np.asfortranarray(a) * b
z = np.asfortranarray(a * 1); z[0] = w; z.T[1] *= 2; return z
z = np.zeros((2, 3), order='F'); z[:, 1] = v[:2]; z.ravel('K')[0] = x; return z
a.ravel('F') * 2
a.reshape(3, 2, order='F')
a.flatten('F')
a.copy('F').T
a.astype(np.float32) * 2
a.astype(np.float32).astype(np.float64).sum()
(a * np.arange(3)).sum(axis=1)
a * (a > 0).astype(int)
np.arange(3) * v + True
(v * 1j).imag
np.real(h) * np.imag(h)
np.apply_along_axis(lambda r: r * r.sum(), 1, a)
np.apply_along_axis(np.sort, 0, a)
np.apply_along_axis(lambda r: np.dot(r, w), axis=1, arr=a)
np.apply_over_axes(np.sum, c, [0, 2])
a[np.ix_([0, 1], [2, 0])]
z = a * 1; z[np.ix_([0, 1], [2, 0])] = m[:2, :2]; return z
a[np.s_[:, 1:]]
a[np.s_[..., 0]]
z = a * 1; z[z > 0] = x; return z
z = a * 1; z[z > 0] *= b[z > 0]; return z
z = a * 1; z[z < 0] = w[:2].sum() * b[a < 0]; return z
z = a * 1; z[:, v > 0] = 0; return z
z = q * 1; np.put(z, [0, 3], v[:2]); return z
z = q * 1; np.put(z, [0, 30], x, mode='wrap'); return z
z = a * 1; np.place(z, a > 0, w); return z
z = a * 1; np.copyto(z, w); return z
z = a * 1; np.copyto(z, b, where=a > 0); return z
z = m * 1; np.fill_diagonal(z, v); return z
z = m * 1; np.fill_diagonal(z, x); return z
z = a * 1; np.putmask(z, a > 0, w); return z
z = a * 1; np.putmask(z, z > 0, b); return z * z
z = m * 1; z @= m; return z
z = m * 1; np.put_along_axis(z, np.array([[0], [2], [1]]), v[:, None], axis=1); return z
z = v * 1; z.sort(); return z * w
z = a * 1; z.sort(axis=0); return z * b
z = q * 1; z.partition(3); return z.sum() + z[3]
z = a * 1; z.fill(x); return z
z = q * 1; z.put([1, 2], [x, y]); return z
a.clip(-1, 1)
a.clip(min=x)
a.clip(max=b)
a.clip(-0.5, out=np.zeros((2, 3)))
a.cumsum(axis=1)
a.cumprod()
p.prod(axis=0)
a.dot(m)
a.trace()
a.T.diagonal()
a.mean(axis=0, keepdims=True) * b
a.std(axis=1, ddof=1)
a.ptp() if hasattr(a, 'ptp') else np.ptp(a)
a.max(axis=1, initial=x)
a.min(where=b > 0, initial=y)
a.round(1) * a
a.repeat([1, 2], axis=0)
a.swapaxes(0, 1) @ b
a.take([0, 4])
a.take([0, 2], axis=1)
a.compress([True, False, True], axis=1)
np.array([0, 1, 0]).choose([v, w])
a.squeeze()
a[None].squeeze(0)
a.transpose(1, 0)
c.transpose((2, 0, 1))
a.item(2) * x
a.tolist()[0][1] * x
a.flat[3] * a.flat[1]
z = a * 1; z.flat = v; return z
z = a * 1; z.flat[::2] = 0; return z
np.resize(a, (4, 2))
np.maximum.reduce(a, initial=x)
np.multiply.reduce(a, initial=x)
np.sum(a, initial=x)
np.sum(a, axis=1, keepdims=True, initial=x)
np.prod(a, axis=0, initial=y)
np.prod(a, initial=y, where=a > 0)
np.max(a, initial=x)
np.min(a, axis=1, initial=-x)
np.abs(np.linalg.pinv(k))
np.abs(np.linalg.qr(k)[0] @ np.array([1, 2j, 3]))
np.abs(np.linalg.qr(k)[1])
np.linalg.qr(k)[1].real
np.linalg.qr(k, mode='r').imag
np.linalg.qr(a)[1]
np.asfortranarray(a).ravel('K')
np.asfortranarray(a).ravel('A') * q[:6]
np.asfortranarray(a).flatten('K')
a.T.flatten('A')
np.transpose(c, (2, 0, 1)).ravel('K')
np.asfortranarray(a).reshape(3, 2, order='A')
np.pad(a, 1, mode='linear_ramp')
np.pad(a, ((1, 2), (0, 3)), mode='linear_ramp', end_values=((x, y), (1, 2)))
np.pad(a, 2, 'maximum')
np.pad(a, 1, 'minimum', stat_length=2)
np.pad(a, (2, 1), 'mean')
np.pad(q, 3, 'mean', stat_length=(2, 3))
np.pad(c, 1, 'median')
np.pad(a, 1, constant_values=x)
np.pad(v, (1, 2), 'constant', constant_values=(x, y))
np.pad(a, 1)
np.pad(a, 1, mode='reflect')
np.pad(v, (0, 4), mode='wrap')
np.cov(a, fweights=[1, 2, 3])
np.cov(a, aweights=w ** 2)
np.cov(a, aweights=w ** 2, fweights=[1, 2, 2], ddof=0)
np.cov(a, b, aweights=w ** 2)
np.cov(a, bias=True)
np.quantile(q, 0.4, method='inverted_cdf', weights=p.ravel().tolist() + [1, 2])
np.quantile(q, [0.2, 0.7], method='inverted_cdf', weights=q ** 2)
np.percentile(a, 60, axis=0, method='inverted_cdf', weights=b ** 2)
np.average(a, axis=1, weights=w)
np.average(a, weights=p)
np.average(q, weights=q ** 2, returned=True)[0]
st = np.lib.stride_tricks.as_strided(q, (3, 4), (q.strides[0] * 2, q.strides[0])); return st * st
np.lib.stride_tricks.as_strided(a, shape=(2, 2, 2), strides=(24, 8, 8)) * x
np.linalg.multi_dot((m, m, v))
np.stack((v, w))
np.linalg.multi_dot((a, m, v))
np.abs(np.roots(q))
np.roots([1.0, x, -2.0])
np.roots(q[:5]).real
np.trim_zeros(np.concatenate([[0, 0], v, [0.0]]))
np.trim_zeros(np.concatenate([[0, 0], v, [0.0]]), 'f') * x
np.histogram(q, bins=3, weights=q ** 2)[0]
np.histogram(q, bins=3)[1]
np.histogram(q, bins=4, density=True)[0]
np.histogram(q, bins=[-2, 0, 1, 3], density=True, weights=q ** 2)[0]
np.histogram(a, bins=4, range=(-1, 2), weights=b)[0]
np.histogram(a, bins=r - 1, weights=b)[0] * np.histogram(a, bins=r - 1)[1][1:]
np.histogram_bin_edges(q, 5)
np.interp(v, r, r ** 2, period=5.0)
np.interp(v * 3, r, q[:5], period=6.1)
np.quantile(q, 0.3, method='hazen')
np.quantile(q, [0.01, 0.3, 0.99], method='weibull')
np.percentile(a, 40, axis=1, method='median_unbiased')
np.unique(np.round(a, 1) * 0 + a, axis=0)
np.setdiff1d(q, [9.0, 2.5])
np.setdiff1d(a, w) * x
np.poly(m)
np.poly(s)
np.asarray(np.matrix(m) * np.matrix(m))
np.asarray(np.matrix(m) * np.matrix(s) * x)
np.asarray(np.asmatrix(m) + np.asmatrix(s))
np.asarray(np.multiply(np.matrix(m), np.matrix(s)))
np.asarray(np.matrix(m) @ np.matrix(s))
np.asarray(np.sin(np.matrix(m)))
np.asarray(np.dot(np.matrix(m), np.matrix(s)))
np.asarray(np.matrix(m) / x)
np.asarray(m * np.matrix(s))
np.asarray(np.matrix(m) * v.reshape(3, 1))
np.asarray(np.linalg.inv(np.matrix(m)))
np.asarray(np.matrix(m).T * np.matrix(s))
np.asarray(np.matrix(m).transpose())
z = np.matrix(m); z *= np.matrix(s); return np.asarray(z)
np.asarray(-np.matrix(m) * 2)
float((np.matrix(v) * np.matrix(w).T)[0, 0])
np.asarray(np.asmatrix(m) ** 2)
np.array([x, y], dtype=object).sum() * 1.0
a[:, 3:].sum() + x
np.max(a[a > 100], initial=x)
np.concatenate([v[:0], w[:0]]).sum() * x + y
np.dot(v[:0], w[:0]) + x
np.zeros((3, 0)) @ np.zeros((0, 2)) + x
np.cumsum(v[:0]).sum() + y
np.stack([v[:0], w[:0]]).sum() + y
np.linalg.norm(v[:0]) + y
np.einsum('i,i', v[:0], w[:0]) + y
np.sort(v[:0]).sum() + y
np.diff(v[:1]).sum() + y
z = v * 1; z[z > 100] = x; return z
z = v * 1; z[:0] = w[:0]; return z
z = v[:0] * 2; z += 1; return z.sum() + x
np.where(v[:0] > 0, v[:0], 1).sum() + x
np.outer(v[:0], w).sum() + x
a[[]].sum() + x
np.array([]).reshape(0, 3) @ v
np.vstack([np.empty((0, 3)), a])
np.append([], v) * w
e = np.empty((0,)); e = np.append(e, x); e = np.append(e, y * x); return e
np.hstack([[], v, x])
sum(v[i:i+2].sum() for i in range(3))
np.array(list(map(lambda e: e ** 2, v)))
np.array([e * f for e, f in zip(v, w)]).cumsum()
np.array([[x * i + j * y for j in range(3)] for i in range(2)])
[float(e) ** 2 for e in v][1]
np.add(v, w, dtype=np.float32)
np.sum(a, dtype=np.float32)
np.sqrt(np.abs(v), out=None)
np.divide(v, w, out=np.zeros_like(v), where=w > 0)
np.divide(1.0, v, where=v != 0, out=np.zeros(3))
np.log(a, where=a > 0, out=np.full(a.shape, x))
np.power(p, 2, dtype=float)
np.add.outer(v, w).diagonal()
np.trace(np.multiply.outer(v, w))
np.frexp(a)[0] * 2
np.ldexp(v, 2)
np.heaviside(v, x)
np.sinc(v)
np.logaddexp(v, w)
np.logaddexp2(v, w)
np.copysign(v, w)
np.nextafter(v, w)
np.fmax(v, w)
np.fmin(v, 0)
np.fmod(v, 0.7)
np.rad2deg(v) + np.radians(w)
np.deg2rad(v)
np.float_power(p, x)
np.exp2(v) + np.cbrt(w)
np.spacing(v) * x
np.signbit(v) * w
np.isclose(v, w) * v
np.unwrap(q * 3)
np.tri(3) * m
np.triu(m, 1) + np.tril(m, -1)
m[np.tril_indices_from(m)]
z = np.zeros((3, 3)); z[np.triu_indices(3)] = q[:6]; return z @ z.T
z = np.zeros((3, 3)); z[np.diag_indices_from(z)] = v; return z @ m
a[np.nonzero(a > 0)]
a[np.where(a > 0)] ** 2
np.flatnonzero(v > 0).size * x
v[np.argsort(v)] * w
v[np.lexsort((w, v))]
q[np.argpartition(q, 3)[:3]].sum()
np.searchsorted(r, 1.0) * x
np.digitize(v, [0, 1]) * x
np.bincount([0, 1, 1], weights=v, minlength=4)
np.select([a > 1, a > 0], [a * 2, b], default=x)
np.piecewise(v, [v < 0, v >= 0], [lambda e: -e, lambda e: e ** 2])
np.choose([2, 0, 1], [v, w, x])
np.extract(a > 0, a * b)
np.compress([1, 0, 1], a, axis=1)
np.insert(a, 1, w[:2], axis=1)
np.insert(v, [0, 2], x)
np.roll(a, 1, axis=1) - a
np.rot90(m) @ m
np.tile(v, (2, 1)) * a
np.repeat(v, [1, 0, 2])
np.broadcast_to(v, (2, 3)) * a
np.split(q, [3, 5])[1] * 2
np.array_split(q, 3)[0]
sum(np.vsplit(a, 2))
np.meshgrid(v, w)[0] * np.meshgrid(v, w, indexing='ij')[1]
g1, g2 = np.meshgrid(v, w, sparse=True); return g1 * g2
np.mgrid[0:3, 0:2].sum() * x
np.gradient(q, x)
np.gradient(a, axis=1)[:, 0]
np.tensordot(c, a, axes=([1], [1]))
np.vander(v, 4)
np.histogram(q, bins=4)[0] * x
np.lib.stride_tricks.sliding_window_view(q, 3).mean(axis=1)
np.nan_to_num(v / w)
np.interp(x, r, q[:5])
np.ascontiguousarray(a.T) * 2
np.require(a, requirements=['C']) * 2
np.squeeze(a[:, None]) * 2
np.moveaxis(c, 0, -1)[..., 0]
np.rollaxis(c, 2).sum(axis=1)
np.atleast_2d(v).T @ np.atleast_2d(w)
np.array_equal(a, b) * x + y
np.allclose(a, a) * x
np.linalg.lstsq(t, q[:4], None)[3]
np.count_nonzero(a > 0) * x
np.ptp(a, axis=0)
np.median(a, axis=(0, 1))
np.percentile(q, [10, 50, 90])
np.std(a, axis=1, keepdims=True)
np.var(a, ddof=1, axis=0)
np.average(a, axis=0, weights=[1, 3])
np.cumsum(a, axis=0)[-1]
np.cumprod(v)[::-1]
np.i0(v)
np.logspace(x, y, 3)
np.full((2, 2), x) @ m[:2, :2]
np.eye(3) * x + m
np.diag(v) @ m
np.indices((2, 3))[1] * a
np.block([[m, v[:, None]], [w, x]])
np.dstack([a, b])
np.clip(a, x - 1, y)
np.maximum(a, 0.1 * a)
np.hypot(v, w)
np.convolve(v, w, 'valid')
np.outer(v, w, out=np.zeros((3, 3)))
np.dot(a, m, out=np.zeros((2, 3)))
np.matmul(a, m, out=np.zeros((2, 3)))
np.clip(a, 0, 1, out=np.zeros((2, 3))) * x
z = a * 1; np.clip(z, 0, 1, out=z); return z
z = a * 1; np.maximum(z, 0, out=z); return z
z = np.zeros(3); z[...] = v; z[()] *= 2; return z
z = a * 1; z[0], z[1] = z[1], z[0]; return z
z = a * 1; z[0], z[1] = z[1].copy(), z[0].copy(); return z
z = a * 1; z[[0, 1]] = z[[1, 0]]; return z
z = a * 1; z[:, [0, 2]] += b[:, [0, 2]]; return z
z = a * 1; z[..., -1] = x; return z.T
z = q * 1; z[1:] += z[:-1]; return z
z = q * 1; z[1:] = z[:-1]; return z
z = q * 1; z[:-1] -= 2 * z[1:]; return z
z = m * 1; z += z.T; return z
z = m * 1; y_ = z.T; y_[0] = v; z[0, 0] *= 3; return y_
z = a * 1; r_ = z.reshape(-1); r_[2:4] = x; return z
z = a * 1; r_ = z.ravel(); r_ *= 2; return z
for_ = a * 1; for_[0, 0], for_[1, 1] = x, y; return for_
z = a * 1\nfor row in z: row *= 2\nreturn z
z = a * 1\nfor row in z: row[0] = x\nreturn z
z = a * 1\nfor i, row in enumerate(z): row -= row.mean()\nreturn z
z = a * 1\nfor k in range(3): z[:, k] /= np.linalg.norm(z[:, k])\nreturn z
z = np.zeros((2, 3))\nfor i in np.ndindex(2, 3): z[i] = a[i] * b[i]\nreturn z
z = np.zeros((2, 3))\nfor i, e in np.ndenumerate(a): z[i] = e ** 2\nreturn z
z = 0.0\nfor e, f in zip(a.flat, b.flat): z += e * f\nreturn z
z = np.stack([r_ * k for k, r_ in enumerate(a)]); return z.sum(0)
a.sum(axis=-1)[..., np.newaxis] * b
(lambda s_: s_ / s_.sum())(np.exp(v))
np.sum([v * k for k in range(3)], axis=0)
np.sum((v, w), axis=0)
np.mean([x, y, x * y])
np.max([x, y])
np.prod((x, y, 2))
np.linalg.norm([x, y])
np.dot([x, y], [y, x])
np.matmul([[x, y], [y, x]], [1.0, 2.0])
np.outer([x, y], v)
max(v) * min(w)
sorted(v)[0] * x
abs(v).max()
v.argmax() * x
float(v[0]) * w
v @ w ** 2
-v ** 2 + +w
v // 0.7 * w
~(v > 0) * w
v.__matmul__(w)
scipy.stats.norm.rvs(size=3, random_state=0) * x
np.vectorize(lambda e: e * e)(v)
np.vectorize(lambda e, f: e * f + x)(v, w)
np.vectorize(lambda e: e if e > 0 else 0.1 * e, otypes=[float])(a)
z = a * 2; z.shape = (3, 2); return z
z = a * 2; z.shape = -1; return z * z
z = a * 2; t_ = z[:, :2]; u_ = t_.T; z.shape = (6,); z[0] = x; return u_
a[0] @ [1, 2, 3]
v @ [x, y, 1.0]
[x, y, 1.0] @ v
(a < [1, 2, 3]) * a
(v > [x, 0, 0]) * w
"""

SCIPY = r"""
scipy.fft.fft(q).real
scipy.fft.rfft(q).imag
scipy.fft.dct(q)
scipy.fft.idct(q, type=2, norm='ortho')
scipy.fft.dst(q, type=1)
scipy.fft.irfft(scipy.fft.rfft(q))
scipy.fft.dct(a, axis=0)
scipy.fft.dct(q, 3, n=5)
scipy.fft.fft2(a).real
scipy.fft.ifft2(scipy.fft.fft2(a, workers=1)).real
scipy.fft.fftn(c, axes=(0, 2)).imag
scipy.fft.fftshift(q)
scipy.linalg.solve(m, v)
scipy.linalg.solve(s, v, assume_a='pos')
scipy.linalg.solve(s, v, assume_a='sym', lower=True)
scipy.linalg.solve(m, v, transposed=True)
scipy.linalg.inv(m)
scipy.linalg.det(m)
scipy.linalg.norm(a)
scipy.linalg.norm(v, 3)
scipy.linalg.cholesky(s)
scipy.linalg.cholesky(s, lower=True)
scipy.linalg.cho_solve(scipy.linalg.cho_factor(s), v)
scipy.linalg.cho_solve(scipy.linalg.cho_factor(s, lower=True), v)
scipy.linalg.cho_factor(s)[0]
scipy.linalg.solve_triangular(m, v)
scipy.linalg.solve_triangular(m, v, lower=True)
scipy.linalg.solve_triangular(m, v, trans='T', lower=True)
scipy.linalg.solve_triangular(m, v, unit_diagonal=True)
scipy.linalg.lu(m)[1]
scipy.linalg.lu(m[::-1])[2]
P, L, U = scipy.linalg.lu(m); return L @ U
scipy.linalg.lu_solve(scipy.linalg.lu_factor(m), v)
scipy.linalg.lu_solve(scipy.linalg.lu_factor(m[::-1]), v)
scipy.linalg.lu_factor(m[[1, 0, 2]])[0]
scipy.linalg.expm(m)
scipy.linalg.expm(x * m) @ v
scipy.linalg.sqrtm(s)
scipy.linalg.eigh(s)[0]
scipy.linalg.eigh(s, lower=False)[1] ** 2
scipy.linalg.eigh(s, eigvals_only=True)
scipy.linalg.eigvalsh(s)
scipy.linalg.svd(a, full_matrices=False)[1]
u_, s_, vt = scipy.linalg.svd(a, full_matrices=False); return (u_ * s_) @ vt
scipy.linalg.svdvals(a)
scipy.linalg.qr(m)[0]
scipy.linalg.qr(t, mode='economic')[1]
scipy.linalg.pinv(t)
scipy.linalg.lstsq(t, q[:4])[0]
scipy.linalg.block_diag(a, m)
scipy.linalg.toeplitz(v)
scipy.linalg.toeplitz(v, w)
scipy.linalg.circulant(v)
scipy.linalg.hankel(v, w)
scipy.linalg.cho_solve((np.linalg.cholesky(s), True), v)
scipy.linalg.lstsq(t, q[:4])[1]
"""

DRAWN = r"""
np.random.default_rng(0).normal(x, y)
np.random.default_rng(0).normal(x, y, size=4)
np.random.default_rng(0).normal(v, np.abs(w))
np.random.default_rng(0).uniform(x, y, 3)
rng = np.random.default_rng(1); return rng.normal(loc=x, scale=y, size=(2, 2))
rng = np.random.default_rng(1); return rng.exponential(x, 3)
rng = np.random.default_rng(1); return rng.laplace(x, y, 3)
rng = np.random.default_rng(1); return rng.lognormal(x, 0.5, 3)
rng = np.random.default_rng(1); return v[rng.permutation(3)] * w
rng = np.random.default_rng(1); return rng.choice(q, 3)
rng = np.random.default_rng(1); return rng.choice(q, 3, replace=False) * x
rng = np.random.default_rng(1); return rng.permutation(q) * q
np.random.seed(0); return np.random.normal(x, y, 3)
np.random.seed(0); return np.random.uniform(x, y)
np.random.seed(0); return np.random.choice(v)
rng = np.random.default_rng(1); return rng.uniform(high=y, size=3)
rng = np.random.default_rng(1); return rng.uniform(high=y, low=x)
rng = np.random.default_rng(1); return rng.normal(scale=v ** 2, size=(2, 3))
rng = np.random.default_rng(1); return rng.normal(a, y)
rng = np.random.default_rng(1); return rng.normal(x, 0.0)
rng = np.random.default_rng(1); return rng.normal(size=3) * x
rng = np.random.default_rng(1); return rng.weibull(y, 3)
rng = np.random.default_rng(1); return rng.pareto(y, 3)
rng = np.random.default_rng(1); return rng.power(y, 3)
rng = np.random.default_rng(1); return rng.lognormal(x, y, 3)
rng = np.random.default_rng(1); return rng.lognormal(sigma=y, size=3)
rng = np.random.default_rng(1); return rng.rayleigh(y, 3)
rng = np.random.default_rng(1); return rng.logistic(x, y, 3)
rng = np.random.default_rng(1); return rng.gumbel(x, y, 3)
rng = np.random.default_rng(1); return rng.choice(q, size=(2, 2), p=np.ones(8) / 8)
rng = np.random.default_rng(1); return rng.choice([x, y])
rng = np.random.default_rng(1); return rng.choice(8, 3) * x
rng = np.random.default_rng(1); i = rng.choice(8, 3, replace=False); return q[i] * x
rng = np.random.default_rng(1); i = rng.integers(0, 8, 3); return q[i] * x
np.random.seed(0); return np.random.permutation(q) * q
np.random.seed(0); return np.random.exponential(x, 2)
np.random.seed(0); return np.random.normal(loc=x, size=2)
"""

SERIES = r"""
np.polynomial.polynomial.polyval(x, v)
np.polynomial.polynomial.polyval(q, v)
np.polynomial.chebyshev.chebval(x, v)
np.polynomial.legendre.legval(q, v)
np.polynomial.hermite.hermval(x, v)
np.polynomial.hermite_e.hermeval(x, v)
np.polynomial.laguerre.lagval(x, v)
np.polynomial.polynomial.polyvander(q, 2) @ v
np.polynomial.chebyshev.chebvander(q, 2) @ v
np.polynomial.legendre.legvander(q, 2) @ v
np.polynomial.polynomial.polyfit(r, q[:5], 2)
np.polynomial.polynomial.polymul(v, w)
np.polynomial.polynomial.polyadd(v, w)
np.polynomial.polynomial.polyder(v)
np.polynomial.polynomial.polyint(v)
np.polynomial.polynomial.polyval2d(x, y, m)
np.polynomial.polynomial.polyvalfromroots(x, v)
np.polynomial.polynomial.polyfromroots(v)
np.polynomial.polynomial.polyval(x, [y, x, 1.0])
np.polynomial.polynomial.polyval(q, m)
np.polynomial.polynomial.polyval(q[:3], m, tensor=False)
np.polynomial.chebyshev.chebfit(r, q[:5], 2)
np.polynomial.legendre.legfit(r, q[:5], 2, w=r)
np.polynomial.chebyshev.chebadd(v, q[:5])
np.polynomial.hermite.hermsub(v, q[:5])
np.polynomial.laguerre.lagval(q, q[:5])
np.polynomial.laguerre.lagvander(q, 3)
np.polynomial.hermite_e.hermeval(q, q[:5])
np.polynomial.hermite.hermval(q, q[:5])
np.polynomial.chebyshev.chebval(a, q[:4])
np.polynomial.legendre.legval(x, q[:5])
np.polynomial.polynomial.polyint(v, 2)
np.polynomial.polynomial.polyint(v, lbnd=x)
np.polynomial.polynomial.polyint(v, scl=y)
np.polynomial.polynomial.polyder(q, 2)
np.polynomial.polynomial.polyder(q, scl=x)
np.polynomial.polynomial.polyvalfromroots(q, v)
np.polynomial.polynomial.polyval(x, [y])
np.polynomial.chebyshev.chebval(x, [y])
"""

MATRICES = r"""
z = np.matrix(m); return float(z.sum())
z = np.matrix(m); return z[0].sum()
z = np.matrix(m); return np.asarray(z[0] * z[:, 1])
z = np.matrix(m); return np.asarray(z.sum(axis=0))
z = np.matrix(m); return float(z.mean())
z = np.matrix(m); return np.asarray(z.A) * 2
z = np.matrix(m); return z.A1 * 2
z = np.matrix(m); return np.asarray(z.I)
z = np.matrix(m); return np.asarray(z[0, :])
z = np.matrix(m); return z[1, 2] * x
z = np.matrix(m); return np.asarray(z.H)
z = np.matrix(m); return np.asarray(z.T @ np.matrix(v).T)
z = np.matrix(m); return np.asarray(z.getA())
z = np.matrix(m); z[0] = z[1] * 2; return np.asarray(z)
z = np.matrix(m); return np.asarray(z.max(axis=1))
z = np.matrix(m); return np.asarray(z.std(axis=0))
z = np.matrix(m); return np.asarray(z.flatten())
z = np.matrix(m); return np.asarray(z.ravel()) * 2
z = np.matrix(m); return np.asarray(z.getT())
z = np.matrix(m); return np.asarray(z.sum(1)) * x
z = np.matrix(m); return np.asarray(np.sum(z, axis=1)) * x
z = np.matrix(m); return np.asarray(np.mean(z)) * x
z = np.matrix(m); return np.asarray(z[:, 1] * z[0, :])
z = np.matrix(m); return np.asarray(z[[0, 2]] * 3)
z = np.matrix(m)\ns_ = 0.0\nfor row in z: s_ = s_ + (row * row.T)[0, 0]\nreturn s_
z = np.matrix(m); return np.asarray(z.prod(axis=0))
z = np.matrix(m); return np.asarray(z.var(1, ddof=1))
z = np.matrix(k); return np.abs(np.asarray(z.H))
z = np.matrix(m); return np.asarray(np.cumsum(z, axis=0))
z = np.matrix(m); return z.item(3) * x
z = np.matrix(m); return np.asarray(z.reshape(1, 9)) * x
z = np.matrix(m); return np.linalg.det(z) * x
z = np.matrix(m); return np.linalg.norm(z) * x
"""

SCIPY_MORE = r"""
scipy.linalg.solve_banded((1, 1), np.array([[0, x, x], [3.0, 3, 3], [x, y, 0]]), v)
scipy.linalg.solve_banded((1, 0), np.array([[3.0, y, 3], [x, 0.5, 0]]), v)
scipy.linalg.solve_banded((0, 2), np.array([[0, 0, x], [0, y, 0.3], [3.0, 3, y]]), v)
scipy.linalg.solve_banded((1, 1), ab=3 + m, b=v)
scipy.linalg.solve_banded((1, 1), 3 + m, np.stack([v, w], axis=1))
ab = np.zeros((3, 8)); ab[0, 1:] = -x; ab[1] = 1 + 2 * x; ab[2, :-1] = -x; z = q\nfor _ in range(3): z = scipy.linalg.solve_banded((1, 1), ab, z)\nreturn z
scipy.signal.convolve(q, v)
scipy.signal.convolve(q, v, mode='same')
scipy.signal.convolve(q, v, 'valid')
scipy.signal.convolve(v, q, 'valid')
scipy.signal.fftconvolve(q, v, mode='same')
scipy.signal.lfilter([0.2], [1, -0.8], q)
scipy.signal.lfilter(v, [1.0], q)
scipy.signal.lfilter(v, [y, x], q)
scipy.signal.lfilter([x, y], np.array([1.0, 0.3, x]), a)
scipy.signal.lfilter([x], [1.0, x - 1.0], q)
scipy.signal.lfilter(v, np.array([1.0, 0.4]), c, axis=1)
scipy.integrate.trapezoid(q)
scipy.integrate.trapezoid(q[:5], r)
scipy.integrate.cumulative_trapezoid(q[:5], r)
scipy.integrate.cumulative_trapezoid(q, initial=0)
scipy.integrate.cumulative_trapezoid(c, dx=0.5, axis=1)
scipy.integrate.simpson(q[:5], x=r)
scipy.integrate.simpson(q[:7], dx=x)
scipy.integrate.simpson(c, axis=1)
scipy.special.expi(p)
scipy.special.exp1(p)
scipy.special.i0e(a)
scipy.special.ellipk(u ** 2)
scipy.special.ellipe(u ** 2)
scipy.special.ellipk(x * 0.0) + scipy.special.ellipe(x * 0.0)
scipy.special.gammasgn(p) * p
scipy.special.cosdg(a * 10) * scipy.special.sindg(b)
scipy.special.boxcox(p, x)
scipy.special.boxcox(p, x * 0.0)
scipy.special.inv_boxcox(u, 0.5)
scipy.special.hyp2f1(1, 2, 3, u / 2)
scipy.special.binom(y, x)
scipy.special.poch(y, x)
scipy.special.boxcox(p, 0.003 * x)
scipy.special.ellipk(1e-9 * x)
"""

#: Operations that have no derivative, or none that is known, and the name by which they are refused.
WITHOUT = r"""
numpy.bitwise_and: (np.bitwise_and(n, 3) * x).sum()
numpy.left_shift: (np.left_shift(n, 1) * x).sum()
numpy.gcd: (np.gcd(n, 4) * x).sum()
and_: ((n & 3) * x).sum()
invert: (~n * x).sum()
numpy.histogram2d: (np.histogram2d(q, q, bins=2)[0] * x).sum()
numpy.intersect1d: np.intersect1d(v, w).sum()
numpy.linalg.qr: np.linalg.qr(t, mode="complete")[0].sum()
numpy.linalg.svd: np.linalg.svd(a)[2].sum()
numpy.linalg.svd: np.abs(np.linalg.svd(k)[0]).sum()
numpy.polyfit: np.polyfit(r, q[:5], 1, cov=True)[0].sum()
numpy.ndarray.view: a.view(np.int64).sum() * x + a.view(np.complex64 if False else np.float32).sum()
getitem: b = np.zeros(3, [("e", float)]); b["e"] = v; return (b["e"] * 2).sum()
numpy.ma.core.MaskedArray.sum: np.ma.masked_array(v, v > 0).sum() * 2.0
numpy.random._generator.Generator.gamma: np.random.default_rng(1).gamma(x, 2.0)
numpy.random._generator.Generator.choice: np.random.default_rng(1).choice(np.array([x, x, y]), 2).sum()
numpy.random._generator.Generator.normal: np.random.default_rng(1).normal(0.0, 0.0 * x)
numpy.polynomial.polynomial.polymul: np.polynomial.polynomial.polymul(v, [0.0, 1.0, 0.0]).sum()
scipy.signal.convolve: scipy.signal.convolve(v, q, 'same').sum()
scipy.signal.convolve: scipy.signal.convolve(c[0], m).sum()
scipy.integrate.simpson: scipy.integrate.simpson(q)
scipy.special.zeta: scipy.special.zeta(y, 1.0)
scipy.special.jv: scipy.special.jv(y, 2.0)
scipy.special.factorial: scipy.special.factorial(y)
"""

ALL = {name: text for name, text in list(globals().items()) if name.isupper() and name != "WITHOUT"}
