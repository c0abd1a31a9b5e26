"""The command `mhi-selfplay`: train, play, arena, judge, results."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from labhandbook.runs import HandbookError, Run, add_run, carry_out, whole_number
from mhi_selfplay.game import SECTION, Game
from mhi_selfplay.games import GAMES
from mhi_selfplay.learn import load, newest, read_about, train
from mhi_selfplay.network import Network, evaluator
from mhi_selfplay.players import (
    Player,
    judge,
    match,
    mistakes,
    perfect_player,
    random_player,
    rollout_player,
    searcher,
    solve,
)
from mhi_selfplay.settings import PRESETS, Settings, preset
from mhi_selfplay.study import results

WHO = "a run directory, a checkpoint, random, perfect (small games), or rollout:100 (that many simulations)"


def main(words: Sequence[str] | None = None) -> int:
    """Carry out a command; the exit code: 0, 1 if the judge found a mistake, 2 if it could not run."""
    return carry_out(_parser(), words)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="mhi-selfplay", description="AlphaZero for small games.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    learn = commands.add_parser("train", help="learn a game, or continue a run that was stopped")
    learn.add_argument("game", choices=GAMES)
    add_run(learn)
    for each in fields(Settings)[2:]:
        own = [f"{name} {values[each.name]}" for name, values in PRESETS.items() if each.name in values]
        text = f"{each.metadata['text']} (default {each.default}{''.join('; ' + one for one in own)})"
        learn.add_argument(f"--{each.name.replace('_', '-')}", type=type(each.default), help=text,
                           default=argparse.SUPPRESS, metavar=str(each.type).upper())
    learn.set_defaults(run=_train)

    play = commands.add_parser("play", help="play against a trained network at the terminal")
    play.add_argument("player", help=WHO)
    play.add_argument("--second", action="store_true", help="let it begin")
    play.set_defaults(run=_play)

    arena = commands.add_parser("arena", help="let two players play a match")
    arena.add_argument("one", help=WHO)
    arena.add_argument("other", help="the same")
    arena.add_argument("--arena-games", type=int, default=42, help="a multiple of the players (default 42)")
    arena.add_argument("--opening", type=whole_number(0), default=2,
                       help="most random actions at the start (default 2)")
    arena.set_defaults(run=_arena)

    judged = commands.add_parser("judge", help="hold a player against every line or position (small games)")
    judged.add_argument("player", help=WHO)
    judged.set_defaults(run=_judge)

    made = commands.add_parser("results", help="make the numbers of the handbook's page again (an hour and more)")
    made.add_argument("part", nargs="*", help="only these parts")
    made.add_argument("--file", type=Path, default=Path("results.json"), help="where they go (default results.json)")
    made.add_argument("--runs", type=Path, default=Path("runs"), help="the folder of their runs (default runs)")
    made.set_defaults(run=_results)

    for command in (play, arena, judged):
        command.add_argument("--game", choices=GAMES, help="where no run directory says it")
        command.add_argument("--simulations", type=whole_number(0), default=100,
                             help="of a network's search (default 100)")
        command.add_argument("--seed", type=whole_number(0), default=0, help="of players that throw dice (default 0)")
    for command in (learn, arena, judged):
        command.add_argument("--format", choices=("text", "json"), default="text", help="json is for machines")
    return parser


def _train(given: argparse.Namespace) -> int:
    known = {"run", "run_dir", "format"}
    settings = preset(**{name: value for name, value in vars(given).items() if name not in known})
    params = {name: value for name, value in asdict(settings).items() if name != "iterations"}
    with Run.open(given.run_dir, params, settings.iterations, ("--iterations", settings.iterations)) as run:
        text = given.format == "text"
        train(run, settings, _tell if text else lambda *_: None)
        if not text:
            print(json.dumps({"finished": run.finished, "result": run.result, "metrics": run.metrics()}))
        elif run.finished:
            print(f"✓ {run.folder} is finished. Next: mhi-selfplay judge {run.folder}")
        else:
            print(f"stopped; the same command continues {run.folder}")
        return run.exit_code


def _tell(iteration: int, network: Network, facts: dict[str, Any]) -> None:
    print(f"{iteration:>4}  {facts['positions']} positions, losses {facts['policy_loss']:.2f} and "
          f"{facts['value_loss']:.2f}, arena {facts['won']}-{facts['drawn']}-{facts['lost']}: "
          f"{'accepted' if facts['accepted'] else 'rejected'}  ({facts['seconds']:.0f} s)", flush=True)


def _play(given: argparse.Namespace) -> int:
    game, (player,) = _players(given, given.player)
    seat, state = (1 if given.second else 0), game.start()
    while (end := game.outcome(state)) is None:
        if state.player != seat:
            action = player([state])[0]
            print(f"it plays {action}")
        else:
            print(game.show(state))
            legal = game.legal(state)
            print(f"your action, of {', '.join(map(str, legal))}: ", end="", flush=True)
            line = sys.stdin.readline()
            if not line:
                return 0
            if line.strip() not in map(str, legal):
                continue
            action = int(line)
        state = game.play(state, action)
    print(game.show(state))
    even = "drawn" if game.players == 2 else "neither won nor lost"
    print(even if end[seat] == 0 else "you have won" if end[seat] > 0 else "you have lost")
    return 0


def _arena(given: argparse.Namespace) -> int:
    game, (one, other) = _players(given, given.one, given.other)
    tally = match(game, one, other, given.arena_games, opening=given.opening, seed=given.seed)
    if given.format == "json":
        print(json.dumps(asdict(tally)))
    else:
        print(f"{given.one} against {given.other}: {tally}; {tally.points:.3f} points a game")
    return 0


def _judge(given: argparse.Namespace) -> int:
    game, (player,) = _players(given, given.player)
    _small(game)
    if game.players > 2:
        return _judge_choices(given, *mistakes(game, player))
    worth = solve(game)(game.start())
    verdicts = [judge(game, player, seat) for seat in range(game.players)]
    # A seat that loses against a perfect opponent can't be held against the player who sits there.
    fine = all(verdict.lost == 0 for verdict in verdicts if worth[verdict.seat] >= 0)
    if given.format == "json":
        print(json.dumps({"fine": fine, "seats": [{**asdict(each), "worth": worth[each.seat]} for each in verdicts]}))
        return 0 if fine else 1
    for each in verdicts:
        print(f"as player {each.seat}: {each.won + each.drawn + each.lost} lines, {each.won} won, "
              f"{each.drawn} drawn, {each.lost} lost{'' if worth[each.seat] >= 0 else ' (a perfect opponent wins)'}")
        if each.example and worth[each.seat] >= 0:
            print(f"    lost: {' '.join(map(str, each.example))}")
    print("✓ it loses no line that it could hold" if fine else "✗ it loses lines that it could hold")
    return 0 if fine else 1


def _judge_choices(given: argparse.Namespace, wrong: int, positions: int) -> int:
    """Among more than two, others can beat together who errs nowhere: the choices are judged, not the lines."""
    if given.format == "json":
        print(json.dumps({"fine": not wrong, "wrong": wrong, "positions": positions}))
    else:
        print(f"{'✗' if wrong else '✓'} {positions} positions, in {wrong} the action is worth less than the best")
    return 1 if wrong else 0


def _results(given: argparse.Namespace) -> int:
    results(given.file, given.part, given.runs)
    return 0


def _players(given: argparse.Namespace, *names: str) -> tuple[Game, list[Player]]:
    """The game and the players that the words stand for."""
    games = {read_about(newest(Path(name))).game for name in names if not _without_network(name)}
    games |= {given.game} - {None}
    if len(games) != 1:
        raise HandbookError(f"these players play {' and '.join(sorted(games)) or 'no game yet'}", section=SECTION,
                            why="a match needs one game", todo=f"add --game, one of {', '.join(GAMES)}")
    game = GAMES[games.pop()]()
    return game, [_player(game, word, given) for word in names]


def _without_network(word: str) -> bool:
    return word in ("random", "perfect") or word.partition(":")[0] == "rollout"


def _player(game: Game, word: str, given: argparse.Namespace) -> Player:
    kind, _, count = word.partition(":")
    if kind == "random":
        return random_player(game, given.seed)
    if kind == "perfect":
        _small(game)
        return perfect_player(game, given.seed)
    if kind == "rollout":
        if not (count.isdecimal() and int(count)):
            raise HandbookError(f"{word} doesn't say how many simulations", section=SECTION, todo="write rollout:100")
        return rollout_player(game, int(count), given.seed)
    return trained_player(game, Path(word), given.simulations)


def trained_player(game: Game, folder: Path, simulations: int) -> Player:
    """The network of a run or a checkpoint, with so many simulations for each action; 0 asks the network alone."""
    checkpoint = newest(folder)
    settings = read_about(checkpoint)
    how = settings.search(noise=False, simulations=simulations)
    return searcher(game, evaluator(game, load(checkpoint, game, settings)), how)


def _small(game: Game) -> None:
    if not game.small:
        raise HandbookError(f"{game.name} is too large to play every line", section=SECTION,
                            why="it has more positions than fit in memory",
                            todo="play a match instead: mhi-selfplay arena RUN rollout:100")
