#!/usr/bin/python3
"""Write tests/data/goldens/learn-*.txt: what scikit-learn, libsvm in it, and XGBoost learn of the same rows.

    tools/make_learn_goldens.py [FOLDER]

An implementation independent of src/learn: Debian's python3-sklearn and python3-xgboost. Rows are
shared by all cases (learn-rows.txt, a line each: inputs, target; the last third is predicted only).
learn-cases.txt, line by line:
    case REGRESSOR log|raw TOLERANCE NAME=TEXT...   begins a case; TOLERANCE: relative, of each prediction
    predict VALUE...                                what the model says of the last third
    spread VALUE                                    rf with draws: the mean relative difference of two seeds,
                                                    to which the tolerance then is a multiple
    loo VALUE...                                    poly: leave-one-out of the rows learnt from
learn-mlp.txt: the weights of a scikit-learn MLP in the order of sloe_learned_mlp, and what it says.
Targets are brought to mean 0 and deviation 1 for svr and xgb, and inputs for all but trees, as
sloe_learn does.
"""
import os
import sys

import numpy as np
import sklearn
import xgboost
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import Ridge
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from sklearn.svm import SVR
from sklearn.tree import DecisionTreeRegressor

LEARNT, ALL, INPUTS = 120, 180, 4


def rows(rng):
    x = rng.uniform(-1, 1, (ALL, INPUTS)).round(3)
    y = np.exp(x[:, 0] + x[:, 1] * x[:, 2]) * 5 * rng.lognormal(0, 0.05, ALL)
    return x, y.round(4)


class Target:
    """Logarithm and scaling, and back."""

    def __init__(self, y, log, scaled):
        self.log = log
        t = np.log(y) if log else y
        self.shift, self.scale = (t.mean(), t.std()) if scaled else (0.0, 1.0)

    def there(self, y):
        return ((np.log(y) if self.log else y) - self.shift) / self.scale

    def back(self, v):
        v = v * self.scale + self.shift
        return np.exp(v) if self.log else v


def poly(degree, penalty):
    return make_pipeline(
        StandardScaler(),
        PolynomialFeatures(degree, include_bias=False),
        StandardScaler(),
        Ridge(alpha=penalty, solver="svd"),
    )


def predicted(model, x, y, log, scaled):
    target = Target(y[:LEARNT], log, scaled)
    model.fit(x[:LEARNT], target.there(y[:LEARNT]))
    return target.back(np.asarray(model.predict(x[LEARNT:]), float))


def leave_one_out(degree, penalty, x, y):
    """Expanded and scaled once over all rows, as the closed form has it; then really left out."""
    z = poly(degree, penalty)[:-1].fit_transform(x[:LEARNT])
    t, out = y[:LEARNT], []
    for i in range(LEARNT):
        keep = np.arange(LEARNT) != i
        # the intercept is the left-out mean, columns are not centred anew: an unpenalised column of ones
        a = np.column_stack([np.ones(LEARNT - 1), z[keep]])
        d = np.diag([0.0] + [penalty] * z.shape[1])
        beta = np.linalg.solve(a.T @ a + d, a.T @ t[keep])
        out.append(beta[0] + z[i] @ beta[1:])
    return np.array(out)


def cases(x, y):
    def svr(**kw):
        return make_pipeline(StandardScaler(), SVR(tol=1e-3, **kw))

    for degree, penalty, log in ((1, 1.0, 0), (2, 1.0, 0), (3, 0.01, 1), (5, 1.0, 1)):
        said = {"predict": predicted(poly(degree, penalty), x, y, log, False)}
        if not log:
            said["loo"] = leave_one_out(degree, penalty, x, y)
        yield f"poly {('raw', 'log')[log]} 1e-6 degree={degree} lambda={penalty!r}", said
    for text, kw in (
        ("C=10 epsilon=0.05", dict(C=10, epsilon=0.05)),
        ("C=2 gamma=0.5", dict(C=2, gamma=0.5)),
        ("C=1 kernel=linear", dict(C=1, kernel="linear")),
        ("C=1 kernel=poly degree=2", dict(C=1, kernel="poly", degree=2)),
    ):
        yield f"svr log 2e-3 {text}", {"predict": predicted(svr(**kw), x, y, 1, True)}
    # Small nodes are split alike by several inputs, of which scikit-learn takes one by lot: none here.
    for text, kw in (
        ("max_depth=4 min_samples_leaf=6", dict(max_depth=4, min_samples_leaf=6)),
        ("max_depth=10 min_samples_leaf=4", dict(max_depth=10, min_samples_leaf=4)),
        ("min_samples_split=20 min_samples_leaf=5", dict(min_samples_split=20, min_samples_leaf=5)),
    ):
        tree = DecisionTreeRegressor(random_state=0, **kw)
        said = {"predict": predicted(tree, x, y, 0, False)}
        yield f"rf raw 1e-5 estimators=1 bootstrap=no {text}".rstrip(), said
    for text, kw in (("", {}), ("max_features=sqrt min_samples_leaf=2", dict(max_features="sqrt", min_samples_leaf=2))):
        a, b = (
            predicted(RandomForestRegressor(300, random_state=s, **kw), x, y, 1, False) for s in (0, 1)
        )
        said = {"predict": a, "spread": np.array([np.mean(np.abs(b / a - 1))])}
        yield f"rf log 1.5 estimators=300 {text}".rstrip(), said
    for text, kw in (
        ("rounds=100", {}),
        ("rounds=300 max_depth=5 rate=0.05 gamma=0.01 min_child_weight=8",
         dict(n_estimators=300, max_depth=5, learning_rate=0.05, gamma=0.01, min_child_weight=8)),
    ):
        for log in (0, 1):
            given = dict(n_estimators=100, max_depth=15, min_child_weight=5, gamma=0.1, learning_rate=0.3)
            model = xgboost.XGBRegressor(
                tree_method="exact", n_jobs=1, base_score=0.0, **{**given, **kw})
            yield f"xgb {('raw', 'log')[log]} 1e-5 {text}", {"predict": predicted(model, x, y, log, True)}


def numbers(values):
    return " ".join(f"{v:.9g}" for v in values)


def write_mlps(f, x, y):
    for activation in ("identity", "logistic", "tanh", "relu"):
        model = MLPRegressor((6, 5), activation=activation, max_iter=300, random_state=3)
        model.fit(x[:LEARNT], y[:LEARNT])
        weights = []
        for w, b in zip(model.coefs_, model.intercepts_):
            weights += list(w.ravel()) + list(b)
        f.write(f"mlp {activation} {INPUTS} 6 5 1\nweights {numbers(weights)}\n")
        f.write(f"predict {numbers(model.predict(x[LEARNT:]))}\n")


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(here, "../tests/data/goldens")
    made = f"# tools/make_learn_goldens.py, scikit-learn {sklearn.__version__}, XGBoost {xgboost.__version__}\n"
    x, y = rows(np.random.default_rng(20260812))
    with open(os.path.join(folder, "learn-rows.txt"), "w") as f:
        f.write(made)
        for row, target in zip(x, y):
            f.write(numbers(row) + f" {target:.9g}\n")
    with open(os.path.join(folder, "learn-cases.txt"), "w") as f:
        f.write(made)
        for name, said in cases(x, y):
            f.write(f"case {name}\n")
            for what, values in said.items():
                f.write(f"{what} {numbers(values)}\n")
    with open(os.path.join(folder, "learn-mlp.txt"), "w") as f:
        f.write(made)
        write_mlps(f, x, y)


main()
