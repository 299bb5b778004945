-- The tables in PostgreSQL at version 0002, the first that runs there.
CREATE TABLE action_colour (
    action TEXT COLLATE "C" NOT NULL,
    slot INTEGER NOT NULL,
    PRIMARY KEY (action)
);
CREATE TABLE action_set (
    set_id TEXT COLLATE "C" NOT NULL,
    created_at TEXT COLLATE "C" NOT NULL,
    revision INTEGER NOT NULL,
    title TEXT COLLATE "C" NOT NULL,
    actions TEXT COLLATE "C" NOT NULL,
    space TEXT COLLATE "C",
    clips TEXT COLLATE "C",
    PRIMARY KEY (set_id)
);
CREATE TABLE action_set_change (
    set_id TEXT COLLATE "C" NOT NULL,
    revision INTEGER NOT NULL,
    change TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (set_id, revision)
);
CREATE TABLE analysis (
    analysis_id TEXT COLLATE "C" NOT NULL,
    created_at TEXT COLLATE "C" NOT NULL,
    video_name TEXT COLLATE "C" NOT NULL,
    video_file TEXT COLLATE "C" NOT NULL,
    timeline BYTEA NOT NULL,
    PRIMARY KEY (analysis_id)
);
CREATE TABLE background (
    set_id TEXT COLLATE "C" NOT NULL,
    video_key TEXT COLLATE "C" NOT NULL,
    features BYTEA NOT NULL,
    position INTEGER DEFAULT '0' NOT NULL,
    PRIMARY KEY (set_id, video_key)
);
CREATE TABLE chosen_set (
    analysis_id TEXT COLLATE "C" NOT NULL,
    set_id TEXT COLLATE "C",
    mode TEXT COLLATE "C" NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (analysis_id)
);
CREATE INDEX chosen_set_by_set ON chosen_set (set_id);
CREATE TABLE comparison (
    comparison_id TEXT COLLATE "C" NOT NULL,
    created_at TEXT COLLATE "C" NOT NULL,
    video_name TEXT COLLATE "C" NOT NULL,
    video_file TEXT COLLATE "C" NOT NULL,
    video_sha256 TEXT COLLATE "C" NOT NULL,
    entries BYTEA NOT NULL,
    truth_name TEXT COLLATE "C",
    truth BYTEA,
    truth_answers TEXT COLLATE "C",
    PRIMARY KEY (comparison_id)
);
CREATE TABLE correction (
    analysis_id TEXT COLLATE "C" NOT NULL,
    revision INTEGER NOT NULL,
    applied INTEGER NOT NULL,
    label_groups TEXT COLLATE "C",
    PRIMARY KEY (analysis_id)
);
CREATE TABLE edit (
    analysis_id TEXT COLLATE "C" NOT NULL,
    position INTEGER NOT NULL,
    edit TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (analysis_id, position)
);
CREATE TABLE example (
    example_id TEXT COLLATE "C" NOT NULL,
    set_id TEXT COLLATE "C" NOT NULL,
    action TEXT COLLATE "C",
    video_sha256 TEXT COLLATE "C",
    video_name TEXT COLLATE "C" NOT NULL,
    person_id INTEGER NOT NULL,
    start_s DOUBLE PRECISION NOT NULL,
    end_s DOUBLE PRECISION NOT NULL,
    added_at TEXT COLLATE "C" NOT NULL,
    features BYTEA NOT NULL,
    posture BYTEA NOT NULL,
    removed_at INTEGER,
    position INTEGER DEFAULT '0' NOT NULL,
    PRIMARY KEY (example_id)
);
CREATE INDEX example_of_set ON example (set_id);
CREATE TABLE example_picture (
    example_id TEXT COLLATE "C" NOT NULL,
    number INTEGER NOT NULL,
    jpeg BYTEA NOT NULL,
    PRIMARY KEY (example_id, number)
);
CREATE TABLE run (
    run_id TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    visitor_id TEXT COLLATE "C" NOT NULL,
    video_name TEXT COLLATE "C" NOT NULL,
    video_file TEXT COLLATE "C" NOT NULL,
    video_sha256 TEXT COLLATE "C" NOT NULL,
    request TEXT COLLATE "C" NOT NULL,
    result_id TEXT COLLATE "C" NOT NULL,
    created_at TEXT COLLATE "C" NOT NULL,
    started_at TEXT COLLATE "C",
    ended_at TEXT COLLATE "C",
    server_id TEXT COLLATE "C" NOT NULL,
    heartbeat_at TEXT COLLATE "C",
    progress DOUBLE PRECISION NOT NULL,
    problem TEXT COLLATE "C" NOT NULL,
    opened_at TEXT COLLATE "C",
    title TEXT COLLATE "C" NOT NULL,
    tags TEXT COLLATE "C" NOT NULL,
    removed_at TEXT COLLATE "C",
    facts TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (run_id)
);
CREATE INDEX run_by_state ON run (state);
CREATE INDEX run_by_visitor ON run (visitor_id);
CREATE TABLE run_chunk (
    run_id TEXT COLLATE "C" NOT NULL,
    number INTEGER NOT NULL,
    document BYTEA NOT NULL,
    PRIMARY KEY (run_id, number)
);
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY);
INSERT INTO alembic_version VALUES ('0002');
INSERT INTO action_colour VALUES ('yoga', 3);
