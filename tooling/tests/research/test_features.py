"""What the research projects replace could do these things: each is named here beside the test that shows it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tooling.tests.conftest import ROOT

RESEARCH = ROOT / "chapters/research"
# Project, feature, and the tests that show it: file::function of the project, ::function of the project's file beside
# this one, or file.py::function of another file beside it.
FEATURES = [
    ("selfplay", "several phases, each with actions and a head of its own", "search::phases_have_their_own_actions",
     "learn::phases_are_in_the_history_and_pad_their_policies",
     "strength::floe_is_learnt_with_a_head_for_each_phase"),
    ("selfplay", "a value for each player, who decides standing in the state",
     "search::player_who_decides_twice_keeps_the_sign", "learn::values_are_answered_by_player_number"),
    ("selfplay", "more than two players", "search::three_players_each_look_after_themselves",
     "strength::three_players_are_learnt_until_few_choices_are_wrong"),
    ("selfplay", "an exhaustive judge: two players, two phases, three players", "players::judge_counts_every_line",
     "players::mistakes_by_hand", "games::nim_is_lost_where_li_says"),
    ("selfplay", "random warm start", "learn::random_play_teaches_what_is_legal",
     "learn::training_begins_with_games_of_random_play"),
    ("selfplay", "a history of 30 iterations", "learn::history_is_of_30_iterations_unless_a_run_says_otherwise",
     "learn::history_forgets_old_iterations"),
    ("selfplay", "arena with draws", "players::a_draw_is_half_a_point_and_no_loss"),
    ("selfplay", "temperature threshold", "learn::after_the_threshold_the_most_visited_action_is_played"),
    ("selfplay", "depth limit", "search::depth_limit_ends_a_path_with_what_the_network_said"),
    ("selfplay", "checkpoints and the best", "learn::checkpoint_gives_back_what_was_saved",
     "learn::a_candidate_that_is_good_enough_is_the_best",
     "learn::a_candidate_that_is_not_good_enough_is_thrown_away"),
    ("eras", "era splitter", "scores::split_keeps_the_embargo_and_the_order_of_time",
     "scores::split_works_in_scikit_learn"),
    ("eras", "a sweep that shows how far it is", "data::a_killed_study_goes_on_and_ends_as_if_nothing_had_been"),
    ("eras", "a neural network", "scores::a_model_is_kept_as_numbers_and_predicts_the_same"),
    ("eras", "chunked prediction", "data::predictions_are_the_same_in_any_chunks"),
    ("eras", "upload", "service::submission_arrives_byte_for_byte"),
    ("phrases", "TF-IDF of one to four words, with a forest",
     "models::the_baseline_counts_runs_of_one_to_four_words"),
    ("phrases", "learning again with corrections", "models::a_correction_is_learnt_and_the_rest_is_kept"),
    ("phrases", "persistence in the user's data folder", "store::a_correction_outlives_the_process",
     "store::nothing_is_written_into_the_package"),
    ("driving", "log shards larger than memory", "bcq::a_log_that_is_larger_than_what_is_held"),
    ("driving", "discrete BCQ with a threshold", "bcq::threshold_goes_from_cloning_to_plain_q_learning"),
    ("driving", "ONNX", "bcq::exported_policy_does_the_same"),
    ("driving", "evaluation that stops early when no reward comes", "carracing::a_car_that_does_not_move_is_cut"),
    ("driving", "TensorBoard files of any run, and the curves on the page",
     "test_tracking.py::points_of_what_is_done_again_are_hidden", "::figures_are_drawn_from_the_numbers"),
]


@pytest.mark.parametrize(("project", "feature", "tests"), [(row[0], row[1], row[2:]) for row in FEATURES],
                         ids=[f"{row[0]}: {row[1]}" for row in FEATURES])
def test_feature_has_the_tests_that_show_it(project: str, feature: str, tests: tuple[str, ...]) -> None:
    for test in tests:
        file, _, name = test.partition("::")
        own = RESEARCH / project / f"tests/test_{project}_{file}.py"
        beside = Path(__file__).with_name(file if file.endswith(".py") else f"test_{project}.py")
        path = beside if file.endswith(".py") or not file else own
        module = ast.parse(path.read_text(encoding="utf-8"))
        names = [each.name for each in module.body if isinstance(each, ast.FunctionDef)]
        assert f"test_{name}" in names, f"{feature}: {path} has no test_{name}"
