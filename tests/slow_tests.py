"""The tests that take long: `make check` runs them all, `make test` some cases of each."""

SLOW = {
    "analysis/test_analyse_film.py": {
        "test_every_frame_has_one_thought_in_order_after_its_windows_finding": 1,
        "test_what_takes_long_is_told_from_flicker_by_the_films_own_clock": 0,
    },
    "analysis/test_atlas_window.py": {
        "test_an_atlas_makes_no_film_worse": 0,
        "test_stages_are_left_out_one_by_one": 0,
    },
    "analysis/test_by_fields.py": {
        "test_a_plan_of_fields_gives_what_the_run_gives": 0,
        "test_flicker_by_field_is_removed_by_field": 1,
    },
    "analysis/test_cuts_and_windows.py": {
        "test_real_films_are_cut_where_people_cut_them": 2,
    },
    "analysis/test_roles.py": {
        "test_flicker_that_only_adds_light_is_rarely_taken_for_flashes": 4,
    },
    "analysis/test_scene.py": {
        "test_a_film_with_nothing_over_it_comes_out_as_without_a_search": 1,
        "test_a_logo_is_known_again_in_a_shot_that_is_too_short_to_show_it": 0,
        "test_a_plan_keeps_what_is_kept": 0,
        "test_a_subtitle_is_kept_as_long_as_it_is_shown_and_no_longer": 0,
        "test_what_lies_over_the_scene_stays_while_the_scene_is_steadied": 1,
    },
    "analysis/test_seen.py": {
        "test_wherever_it_stopped_the_plans_are_the_same": 1,
    },
    "atlas/test_atlas.py": {
        "test_a_fit_that_no_longer_gets_better_stops_unless_told_otherwise": 1,
        "test_a_mask_that_fits_nothing_leaves_one_layer": 0,
        "test_a_square_before_the_plane_becomes_a_layer": 0,
        "test_layers_are_taken_only_where_they_explain_frames_held_out_better": 0,
        "test_masks_make_as_many_layers_as_there_are_objects": 0,
        "test_odd_shots_get_an_atlas_all_the_same": 5,
        "test_the_reference_networks_learn": 0,
    },
    "baselines/test_conformance.py": {
        "test_a_constant_clip_keeps_its_level": 4,
        "test_count_size_samples_and_times_stay": 60,
        "test_flicker_becomes_less": 4,
    },
    "batch/test_batch.py": {
        "test_a_whole_result_is_skipped_and_a_broken_one_made_again": 0,
        "test_divided_films_share_the_workers_with_whole_ones": 0,
    },
    "cli/test_atlas.py": {
        "test_a_drawing_is_carried_back_along_the_motion": 1,
        "test_a_mask_makes_a_layer_and_an_alpha": 0,
        "test_a_picture_painted_upon_in_its_own_place_is_read_and_never_lost": 0,
    },
    "cli/test_events.py": {
        "test_what_libraries_print_is_in_the_log_before_the_end": 1,
    },
    "cli/test_gate.py": {
        "test_no_output_replaces_what_is_read": 80,
    },
    "cli/test_hostile.py": {
        "test_a_damaged_film_gives_a_result_or_one_line": 0,
    },
    "cli/test_interrupt.py": {
        "test_a_signal_at_any_call_or_return_of_a_run_ends_it": 1,
    },
    "cli/test_manual.py": {
        "test_the_tabulator_key_completes_in_a_real_shell": 1,
    },
    "evaluation/test_comparison.py": {
        "test_a_guided_method_runs_on_processed_video_only": 0,
        "test_a_method_without_its_weights_is_left_out_and_said_so": 0,
        "test_a_stopped_run_leaves_whole_lines_and_goes_on": 0,
        "test_every_method_is_scored_timed_and_shown_on_every_video": 0,
        "test_what_is_there_is_not_run_again_and_what_is_added_joins_it": 0,
    },
    "evaluation/test_perfect_guide.py": {
        "test_the_suite_says_whether_the_filter_passes": 1,
    },
    "evaluation/test_suites.py": {
        "test_dirt_is_cleaned_alone_and_after_a_deflicker": 0,
    },
    "files/test_remote.py": {
        "test_a_batch_writes_its_papers_there": 0,
    },
    "fine_light/test_fine_light.py": {
        "test_small_lamps_on_one_mains_become_steady": 0,
        "test_what_moves_by_itself_has_no_fine_light": 4,
    },
    "frames/test_arrays.py": {
        "test_what_lies_under_alpha_0_has_no_influence_and_stays": 2,
    },
    "grade/test_apply.py": {
        "test_a_black_mask_is_no_grade_and_a_white_mask_no_mask": 5,
        "test_a_gain_is_a_gain_of_light_in_any_transfer": 4,
        "test_a_gain_of_one_changes_no_sample_not_even_illegal_ones": 12,
        "test_black_grey_and_saturated_pictures_stay_within_their_depth": 90,
    },
    "grade/test_apply_cuda.py": {
        "test_both_devices_give_the_same_picture": 30,
        "test_both_devices_mix_channels_alike": 6,
    },
    "grade/test_matrix.py": {
        "test_a_matrix_leaves_grey_alone": 10,
    },
    "jobs/test_arrays.py": {
        "test_a_stream_is_the_same": 0,
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
    "metrics/test_level.py": {
        "test_flicker_costs_the_same_under_any_level": 5,
    },
    "metrics/test_visible.py": {
        "test_every_rhythm_is_weighed_as_the_eye_does_at_every_rate": 8,
    },
    "motion/test_far.py": {
        "test_a_whip_pan_into_a_bright_place_keeps_its_light_under_flicker": 1,
    },
    "motion/test_weave.py": {
        "test_weave_is_found_and_the_camera_is_kept": 3,
        "test_what_does_not_weave_has_none_not_even_a_little": 2,
    },
    "plan/test_analyze_then_apply.py": {
        "test_an_mp4_has_the_same_bytes_however_often_it_is_made": 0,
        "test_analyzed_then_applied_is_as_run_in_every_preset": 1,
        "test_fine_light_comes_back_from_a_plan": 0,
    },
    "plan/test_exports.py": {
        "test_a_plan_keeps_the_strengths_that_it_was_made_with": 0,
        "test_a_shot_that_is_switched_off_stays_as_it_is": 0,
        "test_every_export_has_the_gains_of_the_frames_of_a_run": 2,
        "test_ffmpeg_gives_the_pixels_of_a_run_where_global_light_is_enough": 0,
        "test_shots_that_are_not_there_and_strengths_that_are_none_are_refused": 0,
    },
    "plugins/test_comfyui.py": {
        "test_memory_beyond_the_result_does_not_grow_with_the_images": 0,
    },
    "recording/test_measured.py": {
        "test_visible_flicker_is_that_of_the_written_film": 2,
    },
    "recording/test_period.py": {
        "test_period_and_frequency_agree_where_frames_repeat": 1,
    },
    "refinement/test_refined_films.py": {
        "test_a_plan_refines_as_the_run_did": 0,
    },
    "refinement/test_texture.py": {
        "test_a_steady_film_with_moving_texture_comes_out_bit_for_bit": 2,
        "test_moving_texture_under_flicker_stays_as_sharp": 2,
        "test_texture_that_moves_by_itself_is_no_flicker": 4,
    },
    "rendering/test_pipes.py": {
        "test_a_stream_gives_the_pixels_of_a_run": 0,
        "test_every_format_of_ffmpeg_goes_through_bit_for_bit": 5,
        "test_no_more_is_read_ahead_than_is_told": 1,
    },
    "rendering/test_random_access.py": {
        "test_a_plan_of_another_film_is_refused": 0,
        "test_any_order_gives_the_frames_of_a_run": 1,
    },
    "rendering/test_spots_sampled.py": {
        "test_analysis_names_dirt_where_there_is_some": 0,
        "test_analysis_names_hairs_where_there_are_some": 0,
    },
    "rendering/test_steadied.py": {
        "test_a_shot_can_be_left_out_and_strength_zero_moves_nothing": 0,
        "test_analyze_tells_weave_of_each_shot_and_does_not_change_the_plan": 0,
        "test_fields_lie_apart_in_time_and_are_left_as_they_are": 0,
        "test_pictures_in_memory_lose_their_weave_too": 0,
        "test_plans_segments_processes_and_access_in_any_order_give_the_same": 0,
        "test_weave_goes_and_what_is_steady_is_not_touched": 0,
    },
    "rendering/test_workers_notes.py": {
        "test_a_film_that_ends_early_is_incomplete_by_any_number_of_processes": 0,
    },
    "repair/test_bad_frames.py": {
        "test_a_bad_frame_is_rebuilt_from_both_sides": 4,
        "test_light_is_not_damage": 6,
        "test_what_moves_in_nature_is_not_damage": 4,
    },
    "repair/test_cleaned_films.py": {
        "test_segments_processes_and_plans_do_not_change_a_repair": 0,
    },
    "repair/test_dirt.py": {
        "test_most_dirt_goes_and_nearly_nothing_else_changes": 2,
    },
    "repair/test_hairs.py": {
        "test_a_hair_goes_and_all_else_stays": 2,
        "test_a_repair_depends_on_no_more_frames_than_it_says": 0,
    },
    "repair/test_scratches.py": {
        "test_a_repair_depends_on_no_more_frames_than_it_says": 0,
        "test_a_scratch_goes_and_all_else_stays": 2,
        "test_small_pictures_are_no_matter": 1,
    },
    "report/test_page.py": {
        "test_charts_stay_readable_in_narrow_windows": 1,
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
        "test_a_plan_made_beside_a_guide_is_followed_beside_it": 0,
        "test_files_are_guided_as_arrays_are": 0,
        "test_flicker_slower_than_any_without_a_guide_is_removed_with_one": 0,
        "test_texture_is_steadier_with_a_guide_of_any_size_and_type": 1,
        "test_windows_of_a_guided_shot_keep_one_level": 0,
    },
    "test_pipeline.py": {
        "test_a_flickering_film_comes_out_steady": 1,
        "test_a_plan_can_be_applied_at_a_share_of_its_strength": 1,
        "test_a_plan_gives_the_frames_that_a_run_gives": 1,
        "test_a_plan_of_another_film_is_refused_and_nothing_is_left": 1,
        "test_a_plan_of_another_film_of_the_same_length_is_refused_by_what_it_shows": 1,
        "test_analyzing_writes_nothing": 1,
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
        "test_what_is_finished_is_not_made_again": 0,
        "test_where_segments_end_cannot_be_seen": 0,
    },
    "test_stream.py": {
        "test_grey_alpha_and_tensors_come_back_as_such": 0,
        "test_no_more_than_some_windows_of_a_stream_are_held": 0,
    },
    "test_wanted_light.py": {
        "test_a_film_with_repeated_frames_becomes_steady_and_twins_stay_equal": 1,
        "test_a_time_lapse_stored_slowly_is_steadied": 1,
        "test_a_window_of_generated_video_goes_over_into_the_next": 0,
        "test_events_under_flicker_keep_their_light_and_the_flicker_goes": 1,
        "test_events_without_flicker_stay_bit_for_bit": 3,
        "test_light_in_the_lowest_bits_is_steadied_as_if_it_lay_higher": 0,
        "test_light_that_rises_at_once_and_dies_away_stays": 1,
        "test_slow_pumping_goes_where_it_is_asked_for": 0,
    },
    "tone/test_dissolves.py": {
        "test_each_is_found_with_its_shares": 4,
        "test_pictures_that_dissolve_become_steady": 0,
        "test_what_is_no_dissolve_is_none": 4,
    },
    "tone/test_exposure_lock.py": {
        "test_a_shot_has_a_level_of_its_own": 0,
        "test_drift_is_gone_under_flicker_and_noise": 0,
        "test_windows_agree_and_a_place_seen_again_has_its_level": 0,
        "test_without_the_option_nothing_is_locked": 0,
    },
    "tone/test_flat_fades.py": {
        "test_a_steady_film_with_fades_stays_bit_for_bit": 2,
        "test_each_is_found_whatever_the_light": 12,
        "test_flicker_beside_fades_goes_and_fades_do_not_get_worse": 1,
    },
    "tone/test_mixing.py": {
        "test_channels_that_take_from_one_another_at_will_are_put_apart": 0,
        "test_flicker_of_hue_goes": 1,
        "test_flicker_of_saturation_goes": 0,
        "test_no_other_kind_gets_a_matrix": 2,
        "test_the_diagnosis_names_what_is_mixed": 1,
    },
    "tone/test_pumping.py": {
        "test_light_slower_than_asked_for_stays": 0,
    },
    "tone/test_tone.py": {
        "test_made_flicker_goes": 1,
        "test_periodic_flicker_goes_at_any_period": 1,
        "test_the_diagnosis_names_the_kind": 1,
        "test_the_simplest_model_that_explains_it_is_named": 2,
    },
    "tone/test_unrelated.py": {
        "test_a_montage_stays_bit_for_bit": 1,
    },
    "training/test_paper_networks.py": {
        "test_the_filter_learns": 0,
        "test_the_refinement_learns": 0,
        "test_the_rivals_learn_with_and_without_the_original": 0,
    },
    "training/test_paper_trainings.py": {
        "test_one_that_was_stopped_ends_as_if_it_had_not_been": 0,
        "test_the_command_trains_it_and_the_preset_takes_its_weights": 1,
    },
    "training/test_training.py": {
        "test_real_guides_are_made_once": 0,
        "test_the_loss_falls": 0,
    },
    "video/test_encoder_options.py": {
        "test_files_that_nobody_could_read_are_refused": 8,
    },
    "video/test_matroska_shape.py": {
        "test_the_shape_of_pixels_comes_back": 14,
    },
    "video/test_seeking.py": {
        "test_it_is_as_if_read_from_the_beginning": 8,
    },
    "video/test_segments.py": {
        "test_each_encoder_is_joined_without_a_seam": 10,
        "test_where_borders_lie_has_no_effect_on_times": 6,
    },
    "video/test_side_matrix.py": {
        "test_sound_is_kept_in_full_or_named_before_work_starts": 14,
        "test_subtitles_and_data_are_kept_converted_or_named": 8,
    },
    "video/test_sound_ahead_and_behind.py": {
        "test_sound_keeps_its_time_or_is_named": 28,
    },
    "video/test_stills_metadata.py": {
        "test_a_time_lapse_of_48_pictures_keeps_every_byte_of_its_metadata": 0,
    },
    "video/test_writer.py": {
        "test_a_real_film_of_uneven_rate_keeps_its_times": 0,
        "test_odd_sizes_keep_every_row_and_column_and_the_encoder_changes_aloud": 3,
    },
    "web/test_studio_browser.py": {
        "test_a_film_that_fails_says_why": 0,
        "test_the_chooser_shows_folders_and_adds_a_film": 0,
    },
    "web/test_study_browser.py": {
        "test_the_results_page_shows_the_ranking": 0,
    },
    "web/test_study_bundle.py": {
        "test_no_file_tells_a_method_or_an_example": 0,
    },
    "web/test_study_simulated.py": {
        "test_fifty_people_of_twenty_pairs_give_back_the_known_ranking": 0,
    },
}
"""Tests that take long: how many of each one's cases, spread over all, `make test` runs. `check`
runs all. What is left out takes more than half of the time of all tests (2026-12-01)."""
