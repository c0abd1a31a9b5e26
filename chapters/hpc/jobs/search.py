"""One of several workers that search together with Optuna: they share the study in search.log."""

import argparse

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--trials", type=int, default=20, help="of all workers together")
options = parser.parse_args()


def objective(trial):
    """One trial."""
    rate = trial.suggest_float("rate", 1e-5, 1e-1, log=True)
    return (rate - 0.01) ** 2  # train here, and return what shall be small


lock = JournalFileOpenLock("search.log")  # for disks such as Lustre, which may not have the usual locks
study = optuna.create_study(
    storage=JournalStorage(JournalFileBackend("search.log", lock_obj=lock)),
    study_name="search", load_if_exists=True, sampler=optuna.samplers.TPESampler(seed=options.seed))
study.optimize(objective, callbacks=[optuna.study.MaxTrialsCallback(options.trials)])
print(len(study.trials), "trials, best", study.best_params, flush=True)
