"""The tests that take long: `make check` runs them all, `make test` some cases of each."""

SLOW = {
    "analysis/test_analyse_film.py": {
        "test_every_frame_has_one_thought_in_order_after_its_windows_finding": 1,
    },
    "analysis/test_atlas_window.py": {
        "test_an_atlas_makes_no_film_worse": 0,
        "test_stages_are_left_out_one_by_one": 0,
    },
    "analysis/test_by_fields.py": {
        "test_a_plan_of_fields_gives_what_the_run_gives": 0,
        "test_flicker_by_field_is_removed_by_field": 1,
    },
    "analysis/test_scene.py": {
        "test_a_film_with_nothing_over_it_comes_out_as_without_a_search": 1,
        "test_a_logo_is_known_again_in_a_shot_that_is_too_short_to_show_it": 0,
        "test_a_plan_keeps_what_is_kept": 0,
        "test_what_lies_over_the_scene_stays_while_the_scene_is_steadied": 1,
    },
    "analysis/test_seen.py": {
        "test_wherever_it_stopped_the_plans_are_the_same": 1,
    },
    "atlas/test_atlas.py": {
        "test_a_fit_that_no_longer_gets_better_stops_unless_told_otherwise": 1,
        "test_a_square_before_the_plane_becomes_a_layer": 0,
        "test_layers_are_taken_only_where_they_explain_frames_held_out_better": 0,
        "test_masks_make_as_many_layers_as_there_are_objects": 1,
        "test_the_reference_networks_learn": 1,
    },
    "batch/test_batch.py": {
        "test_a_whole_result_is_skipped_and_a_broken_one_made_again": 0,
        "test_divided_films_share_the_workers_with_whole_ones": 0,
    },
    "cli/test_atlas.py": {
        "test_a_drawing_is_carried_back_along_the_motion": 1,
        "test_a_picture_painted_upon_in_its_own_place_is_read_and_never_lost": 0,
    },
    "cli/test_events.py": {
        "test_what_libraries_print_is_in_the_log_before_the_end": 1,
    },
    "cli/test_hostile.py": {
        "test_a_damaged_film_gives_a_result_or_one_line": 0,
    },
    "cli/test_manual.py": {
        "test_the_tabulator_key_completes_in_a_real_shell": 1,
    },
    "compute/test_compiling.py": {
        "test_a_user_without_a_home_steadies_a_film_and_gets_a_report": 1,
    },
    "evaluation/test_comparison.py": {
        "test_a_stopped_run_leaves_whole_lines_and_goes_on": 0,
        "test_every_method_is_scored_timed_and_shown_on_every_video": 0,
        "test_what_is_there_is_not_run_again_and_what_is_added_joins_it": 0,
    },
    "evaluation/test_suites.py": {
        "test_dirt_is_cleaned_alone_and_after_a_deflicker": 0,
    },
    "fine_light/test_fine_light.py": {
        "test_small_lamps_on_one_mains_become_steady": 0,
    },
    "frames/test_arrays.py": {
        "test_what_lies_under_alpha_0_has_no_influence_and_stays": 2,
    },
    "jobs/test_arrays.py": {
        "test_an_array_is_the_same": 0,
        "test_analysis_finds_the_same": 0,
    },
    "jobs/test_cluster.py": {
        "test_a_film_is_the_same_by_a_cluster_in_which_a_worker_dies": 0,
        "test_divided_and_whole_films_share_a_cluster": 0,
        "test_results_come_in_order": 0,
    },
    "leaderboard/test_site.py": {
        "test_addresses_stay_when_scores_change_and_each_anchor_is_there": 1,
        "test_the_shortest_videos_have_a_page": 1,
    },
    "motion/test_far.py": {
        "test_a_whip_pan_into_a_bright_place_keeps_its_light_under_flicker": 1,
    },
    "plan/test_analyze_then_apply.py": {
        "test_an_mp4_has_the_same_bytes_however_often_it_is_made": 0,
        "test_analyzed_then_applied_is_as_run_in_every_preset": 1,
        "test_fine_light_comes_back_from_a_plan": 0,
    },
    "recording/test_measured.py": {
        "test_visible_flicker_is_that_of_the_written_film": 2,
    },
    "recording/test_period.py": {
        "test_period_and_frequency_agree_where_frames_repeat": 1,
    },
    "refinement/test_texture.py": {
        "test_moving_texture_under_flicker_stays_as_sharp": 2,
    },
    "rendering/test_pipes.py": {
        "test_a_stream_gives_the_pixels_of_a_run": 0,
    },
    "rendering/test_random_access.py": {
        "test_a_plan_of_another_film_is_refused": 0,
        "test_any_order_gives_the_frames_of_a_run": 1,
    },
    "rendering/test_spots_sampled.py": {
        "test_analysis_names_dirt_where_there_is_some": 0,
    },
    "rendering/test_steadied.py": {
        "test_plans_segments_processes_and_access_in_any_order_give_the_same": 0,
        "test_weave_goes_and_what_is_steady_is_not_touched": 0,
    },
    "rendering/test_workers_notes.py": {
        "test_a_film_that_ends_early_is_incomplete_by_any_number_of_processes": 1,
    },
    "repair/test_cleaned_films.py": {
        "test_segments_processes_and_plans_do_not_change_a_repair": 0,
    },
    "repair/test_scratches.py": {
        "test_small_pictures_are_no_matter": 1,
    },
    "studio/test_desk.py": {
        "test_the_first_look_knows_every_frame": 0,
        "test_the_queue_does_what_follows_by_itself": 0,
    },
    "test_audience_pages.py": {
        "test_every_command_of_a_page_runs": 1,
    },
    "test_examples.py": {
        "test_a_plan_edited_by_hand": 0,
        "test_the_cells_of_the_notebook_run_in_order": 0,
    },
    "test_original.py": {
        "test_a_guide_may_lack_a_few_frames_and_no_more": 0,
        "test_files_are_guided_as_arrays_are": 0,
        "test_flicker_slower_than_any_without_a_guide_is_removed_with_one": 0,
        "test_texture_is_steadier_with_a_guide_of_any_size_and_type": 1,
    },
    "test_pipeline.py": {
        "test_a_plan_can_be_applied_at_a_share_of_its_strength": 1,
        "test_a_plan_gives_the_frames_that_a_run_gives": 1,
        "test_a_plan_of_another_film_is_refused_and_nothing_is_left": 2,
        "test_arrays_and_films_are_steadied_alike": 1,
        "test_arrays_of_every_type_are_steadied": 4,
        "test_cancelling_stops_and_leaves_nothing": 3,
        "test_every_stage_tells_how_far_it_is": 1,
        "test_the_same_film_gives_the_same_result": 1,
    },
    "test_promises.py": {
        "test_a_fade_stays_and_what_pulses_faster_than_asked_goes": 1,
        "test_a_shot_comes_out_the_same_whatever_it_is_joined_to": 1,
        "test_damaged_frames_are_reported_and_the_others_are_fine": 1,
        "test_no_strength_is_bit_exact": 5,
        "test_whatever_is_special_about_a_film_stays_and_its_flicker_goes": 3,
    },
    "test_resume.py": {
        "test_a_damaged_part_is_made_again": 0,
        "test_a_moved_film_goes_on": 0,
        "test_a_stopped_run_goes_on_and_ends_with_the_same_bytes": 0,
        "test_another_film_of_the_same_name_starts_anew": 0,
        "test_other_settings_start_anew_and_say_so": 0,
        "test_pictures_in_a_folder_go_on_too": 0,
        "test_several_processes_make_the_same_file": 0,
        "test_the_workspace_may_lie_elsewhere_and_be_kept": 0,
        "test_the_workspace_of_a_killed_run_is_not_taken_for_a_running_ones": 0,
        "test_where_segments_end_cannot_be_seen": 0,
    },
    "test_stream.py": {
        "test_a_stream_gives_what_all_at_once_give": 1,
        "test_no_more_than_some_windows_of_a_stream_are_held": 0,
    },
    "test_wanted_light.py": {
        "test_a_film_with_repeated_frames_becomes_steady_and_twins_stay_equal": 1,
        "test_a_time_lapse_stored_slowly_is_steadied": 1,
        "test_a_window_of_generated_video_goes_over_into_the_next": 0,
        "test_events_under_flicker_keep_their_light_and_the_flicker_goes": 1,
        "test_events_without_flicker_stay_bit_for_bit": 3,
        "test_light_in_the_lowest_bits_is_steadied_as_if_it_lay_higher": 0,
        "test_slow_pumping_goes_where_it_is_asked_for": 0,
    },
    "tone/test_dissolves.py": {
        "test_pictures_that_dissolve_become_steady": 1,
    },
    "tone/test_exposure_lock.py": {
        "test_a_shot_has_a_level_of_its_own": 0,
        "test_drift_is_gone_under_flicker_and_noise": 0,
        "test_windows_agree_and_a_place_seen_again_has_its_level": 0,
    },
    "tone/test_flat_fades.py": {
        "test_a_steady_film_with_fades_stays_bit_for_bit": 4,
    },
    "tone/test_mixing.py": {
        "test_channels_that_take_from_one_another_at_will_are_put_apart": 1,
        "test_flicker_of_hue_goes": 1,
        "test_flicker_of_saturation_goes": 1,
        "test_no_other_kind_gets_a_matrix": 6,
        "test_the_diagnosis_names_what_is_mixed": 1,
    },
    "tone/test_tone.py": {
        "test_made_flicker_goes": 1,
        "test_periodic_flicker_goes_at_any_period": 1,
        "test_the_diagnosis_names_the_kind": 3,
    },
    "tone/test_unrelated.py": {
        "test_a_montage_stays_bit_for_bit": 2,
    },
    "training/test_paper_trainings.py": {
        "test_one_that_was_stopped_ends_as_if_it_had_not_been": 1,
    },
    "training/test_training.py": {
        "test_real_guides_are_made_once": 0,
        "test_the_loss_falls": 0,
    },
    "web/test_studio_browser.py": {
        "test_a_film_that_fails_says_why": 0,
    },
    "web/test_study_simulated.py": {
        "test_fifty_people_of_twenty_pairs_give_back_the_known_ranking": 0,
    },
}
"""Tests that take long: how many of each one's cases, the first ones, `make test` runs. `check`
runs all. What is left out takes half of the time of all tests (2026-12-01)."""
