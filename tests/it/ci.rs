//! The workflows of `examples/ci`, and our own: what linters take, and shell that does what it says.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::product::Shop;
use crate::programs::{need, need_of};
use crate::venv;

const GITHUB: &str = "github-actions.yml";
const GITLAB: &str = "gitlab-ci.yml";

fn example(name: &str) -> PathBuf {
    venv::root().join("examples/ci").join(name)
}

/// What runs in one shell.
#[derive(Deserialize)]
struct Script {
    job: String,
    step: String,
    script: String,
}

fn scripts(workflow: &Path) -> Vec<Script> {
    let python = venv::schemas().join("python");
    let told =
        Command::new(python).arg(venv::root().join("tests/ci/scripts.py")).arg(workflow).output();
    let told = told.expect("python");
    serde_json::from_slice(&told.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&told.stderr)))
}

/// What a command complains of; nothing where it is content.
fn complaint(command: &mut Command) -> Option<String> {
    let ran = command.stdin(Stdio::null()).output().expect("a program that can be run");
    let said = [ran.stdout, ran.stderr].concat();
    (!ran.status.success()).then(|| String::from_utf8_lossy(&said).into_owned())
}

/// All that linters have to say of it.
fn findings(name: &str, workflow: &Path) -> Vec<String> {
    let schema = if name == GITHUB { "vendor.github-workflows" } else { "vendor.gitlab-ci" };
    let mut check = Command::new(venv::schemas().join("check-jsonschema"));
    let mut found: Vec<String> =
        complaint(check.args(["--builtin-schema", schema]).arg(workflow)).into_iter().collect();
    if name == GITHUB {
        found.extend(complaint(venv::actionlint().arg(workflow)));
    }
    let folder = TempDir::new().expect("a folder");
    for Script { job, step, script } in scripts(workflow) {
        let file = folder.path().join(format!("{job}-{}.sh", step.replace('/', "-")));
        fs::write(&file, script).expect("a script");
        found.extend(complaint(need("shellcheck").args(["--shell", "bash"]).arg(file)));
    }
    found
}

#[test]
fn linters_have_nothing_to_say_of_the_workflows() {
    for name in [GITHUB, GITLAB] {
        let found = findings(name, &example(name));
        assert!(found.is_empty(), "{name}:\n{}", found.join("\n"));
    }
    for entry in fs::read_dir(venv::root().join(".github/workflows")).expect("workflows") {
        let workflow = entry.expect("a workflow").path();
        let found = findings(GITHUB, &workflow);
        assert!(found.is_empty(), "{}:\n{}", workflow.display(), found.join("\n"));
    }
}

#[test]
fn linters_find_what_is_wrong_with_a_workflow() {
    let cases = [
        (GITHUB, "needs: plan", "needs: plann", "plann"),
        (GITHUB, "steps.plan.outputs.code", "steps.plan.output.code", "output"),
        (GITHUB, "pull-requests: write", "pull-requests: writes", "writes"),
        (GITHUB, "  pull_request:\n    paths:", "  pull_requests:\n    paths:", "pull_requests"),
        (GITHUB, "[ -n \"$id\" ]", "[ -n $id ]", "SC2"),
        (GITLAB, "resource_group: production", "resource_group: [production]", "resource_group"),
        (GITLAB, "interruptible: true", "interuptible: true", "interuptible"),
        (GITLAB, "\"$mark\"", "$mark", "SC2"),
    ];
    let folder = TempDir::new().expect("a folder");
    for (name, right, wrong, said) in cases {
        let text = fs::read_to_string(example(name)).expect("the workflow");
        assert!(text.contains(right), "{name} has no `{right}`");
        let broken = folder.path().join(name);
        fs::write(&broken, text.replacen(right, wrong, 1)).expect("a workflow");
        let found = findings(name, &broken).join("\n");
        assert!(found.contains(said), "{name} with `{wrong}`: {found}");
    }
}

/// What a pull request says never becomes shell; and what others wrote is taken at a version.
#[test]
fn nothing_of_others_is_run_unseen() {
    let text = fs::read_to_string(example(GITHUB)).expect("the workflow");
    for Script { job, step, script } in scripts(&example(GITHUB)) {
        assert!(!script.contains("${{"), "{job}: {step}");
    }
    let used =
        text.lines().filter_map(|line| line.trim().trim_start_matches("- ").strip_prefix("uses: "));
    for action in used {
        let (_, version) = action.split_once('@').expect("a version");
        assert!(version.starts_with('v') || version.len() == 40, "{action}");
    }
}

/// A step of a workflow, run in a folder with these programs before all others, in an environment like its own.
fn step(
    (workflow, job, step): (&str, &str, &str),
    shop: &Shop,
    programs: &[(&str, &str)],
    environment: &[(&str, &str)],
) -> (Option<i32>, String) {
    let all = scripts(&example(workflow));
    let script = all.iter().find(|one| one.job == job && one.step == step).expect("the step");
    let folder = TempDir::new().expect("a folder");
    for (name, text) in programs {
        let file = folder.path().join(name);
        fs::write(&file, format!("#!/bin/sh\n{text}\n")).expect("a program");
        fs::set_permissions(&file, Permissions::from_mode(0o755)).expect("its mode");
    }
    let path = std::env::var("PATH").unwrap_or_default();
    let ran = Command::new("bash")
        .args(["--noprofile", "--norc", "-eo", "pipefail", "-c", &script.script])
        .env("PATH", format!("{}:{path}", folder.path().display()))
        .env("GITHUB_OUTPUT", shop.path("output"))
        .env("GITHUB_SERVER_URL", "https://github.com")
        .env("GITHUB_REPOSITORY", "shop/infrastructure")
        .env("GITHUB_RUN_ID", "99")
        .env("NUMBER", "7")
        .envs(environment.iter().copied())
        .current_dir(shop.path(""))
        .stdin(Stdio::null())
        .output()
        .expect("bash");
    (ran.status.code(), String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()).into_owned())
}

/// The product in the sandbox, under its name.
fn product() -> String {
    let sandbox = "--sandbox --sandbox-speed 100000";
    format!("exec {} \"$@\" {sandbox}", env!("CARGO_BIN_EXE_ecdeploy"))
}

const MARK: &str = "<!-- ecdeploy: infrastructure -->";

#[test]
fn the_plan_of_a_pull_request_is_a_comment_whatever_it_says() {
    let shop = Shop::at("http://127.0.0.1:9");
    let plan = || {
        for file in ["output", "plan.md", "said.txt", "comment.md", "shop.plan"] {
            let _ = fs::remove_file(shop.path(file));
        }
        let programs = [("ecdeploy", product())];
        let programs = programs.each_ref().map(|(name, text)| (*name, text.as_str()));
        let (code, said) = step((GITHUB, "plan", "Plan"), &shop, &programs, &[]);
        let output = fs::read_to_string(shop.path("output")).unwrap_or_default();
        let result = if code == Some(0) { "success" } else { "failure" };
        let comment = commented(&shop, result);
        (code, output, shop.path("shop.plan").exists(), said, comment)
    };
    let told = |code: &str| (Some(0), format!("code={code}\n"));

    let (code, output, saved, said, comment) = plan();
    assert_eq!((code, output, saved), (told("2").0, told("2").1, true), "{said}");
    assert!(comment.starts_with(&format!("{MARK}\n### ")), "{comment}");
    assert!(!comment.contains("failed") && !comment.contains("<!-- ecdeploy plan"), "{comment}");

    shop.bare(&["apply", "-y", "--sandbox", "--sandbox-speed", "100000"]).exits(0);
    let (code, output, saved, said, _) = plan();
    assert_eq!((code, output, saved), (told("0").0, told("0").1, true), "{said}");

    shop.edit("[load_balancer]", "[policy]\nopen_ports = [443]\n\n[load_balancer]");
    let (code, output, saved, said, comment) = plan();
    assert_eq!((code, output, saved), (told("4").0, told("4").1, false), "{said}");
    assert!(comment.contains("against the policy") && !comment.contains("failed"), "{comment}");

    shop.edit("open_ports", "open_port");
    let (code, output, _, said, comment) = plan();
    assert_eq!((code, output), (Some(1), String::new()), "{said}");
    assert!(said.contains("did you mean `open_ports`?"), "{said}");
    insta::assert_snapshot!(comment);
}

/// What the job of comments makes of what the plan's job left.
fn commented(shop: &Shop, result: &str) -> String {
    let environment = [("MARK", MARK), ("RESULT", result)];
    let (code, said) = step((GITHUB, "comment", "Make the comment"), shop, &[], &environment);
    assert_eq!(code, Some(0), "{said}");
    fs::read_to_string(shop.path("comment.md")).expect("the comment")
}

#[test]
fn a_comment_on_a_plan_that_failed_says_as_much_as_there_is() {
    let shop = Shop::at("http://127.0.0.1:9");
    let run = "**The plan failed**: see [the run](https://github.com/shop/infrastructure/actions/runs/99).";
    let failed = format!("{MARK}\n{run}\n\n");
    assert_eq!(commented(&shop, "failure"), failed, "it failed before it planned");

    fs::write(shop.path("said.txt"), "error: @all\r</details>\n```\n").expect("a file");
    let code = "    error: @all</details>\n    ```\n\n";
    assert_eq!(commented(&shop, "failure"), format!("{failed}{code}"), "it stays code");

    fs::write(shop.path("plan.md"), "<!-- mark -->\n### Plan\n").expect("a file");
    assert_eq!(commented(&shop, "failure"), format!("{failed}{code}### Plan\n"));

    for (file, length) in [("said.txt", 2_001), ("plan.md", 60_000)] {
        fs::write(shop.path(file), "x".repeat(length)).expect("a file");
    }
    assert_eq!(commented(&shop, "failure"), failed, "what is too long is in the run");
}

/// What GitLab is asked for, by its arguments, and the note it gets; the notes that are there, by pages of 100, as it tells
/// them to its user 3.
fn noted(shop: &Shop, there: &[Value]) -> (Option<i32>, String, String) {
    let pages: Vec<&[Value]> = there.chunks(100).chain([&[][..]]).collect();
    for (n, page) in pages.into_iter().enumerate() {
        let page = serde_json::to_string(page).expect("JSON");
        fs::write(shop.path(&format!("page{}", n + 1)), page).expect("a page");
    }
    for file in ["asked", "comment.md", "shop.plan"] {
        let _ = fs::remove_file(shop.path(file));
    }
    let curl = "cat > header; n=${*##*&page=}; case \"$*\" in \
                */user) echo '{\"id\": 3}' ;; \
                *per_page=100*) cat \"page${n%%&*}\" ;; \
                *) echo \"$@\" >> asked ;; esac";
    let product = product();
    let nothing = "exit 0";
    let programs = [
        ("ecdeploy", product.as_str()),
        ("curl", curl),
        ("apt-get", nothing),
        ("tar", nothing),
        ("sha256sum", "exec cat > /dev/null"),
    ];
    let folder = shop.path("");
    let environment = [
        ("CI_API_V4_URL", "https://gitlab.com/api/v4"),
        ("CI_PROJECT_ID", "5"),
        ("CI_MERGE_REQUEST_IID", "7"),
        ("CI_JOB_NAME", "infrastructure"),
        ("CI_JOB_URL", "https://gitlab.com/shop/-/jobs/99"),
        ("CI_BUILDS_DIR", folder.to_str().expect("a path")),
        ("PIPELINE_TOKEN", "token"),
        ("WEB_IDENTITY", "identity"),
        ("ECDEPLOY_URL", "https://example.com"),
        ("ECDEPLOY_SHA256", "0"),
    ];
    let (code, said) = step((GITLAB, "plan", "script"), shop, &programs, &environment);
    let asked = fs::read_to_string(shop.path("asked")).unwrap_or_else(|_| panic!("{said}"));
    let asked = asked.replace(" --fail --silent --show-error --location --config -", "");
    // The only one that curl keeps from another host, where it is sent on.
    let header = fs::read_to_string(shop.path("header")).expect("a header");
    assert_eq!(header, "header = \"Authorization: Bearer token\"", "{said}");
    (code, asked, fs::read_to_string(shop.path("comment.md")).expect("the note"))
}

#[test]
fn the_note_of_a_merge_request_says_what_a_comment_does() {
    drop(need_of("jq", &["jq"]));
    let shop = Shop::at("http://127.0.0.1:9");
    let notes = "https://gitlab.com/api/v4/projects/5/merge_requests/7/notes";
    let note = |id: u64, author: u64, body: &str| json!({ "id": id, "author": { "id": author }, "body": body });
    let old = format!("{MARK}\nold");
    let mut there = vec![note(40, 3, "looks good"), note(41, 9, &old)];
    there.extend((0..150).map(|n| note(100 + n, 9, "me too")));
    there.push(note(42, 3, &old));
    let body = "--data-urlencode body@comment.md --output /dev/null";

    let (code, asked, note) = noted(&shop, &[]);
    assert_eq!(code, Some(0), "{asked}");
    assert!(asked.ends_with(&format!("--request POST {body} {notes}\n")), "{asked}");
    assert!(note.starts_with(&format!("{MARK}\n### ")), "{note}");

    shop.edit("[load_balancer]", "[policy]\nopen_ports = [443]\n\n[load_balancer]");
    let (code, asked, note) = noted(&shop, &there);
    assert_eq!(code, Some(4), "{asked}");
    assert!(asked.ends_with(&format!("--request PUT {body} {notes}/42\n")), "{asked}");
    assert!(note.contains("against the policy") && !note.contains("failed"), "{note}");

    shop.edit("open_ports", "open_port");
    let (code, asked, note) = noted(&shop, &there);
    assert_eq!(code, Some(1), "{asked}");
    assert!(asked.ends_with(&format!("--request PUT {body} {notes}/42\n")), "{asked}");
    let failed =
        "**The plan failed**: see [the job](https://gitlab.com/shop/-/jobs/99).\n\n    error: ";
    assert!(note.starts_with(&format!("{MARK}\n{failed}")), "{note}");
    assert!(note.contains("did you mean `open_ports`?"), "{note}");
}

#[test]
fn runs_of_one_pull_request_or_of_the_main_branch_wait_for_each_other() {
    let text = fs::read_to_string(example(GITHUB)).expect("the workflow");
    let job = |name: &str| {
        let (_, job) = text.split_once(&format!("\n  {name}:\n")).expect("the job");
        job.split_once("    steps:\n").expect("its steps").0
    };
    let (comment, apply) = (job("comment"), job("apply"));
    assert!(comment.contains("needs.plan.result != 'cancelled'"), "a newer run tells: {comment}");
    for (job, group) in
        [(comment, "comment-${{ github.event.pull_request.number }}"), (apply, "apply")]
    {
        assert!(job.contains(&format!("group: infrastructure-{group}\n")), "{job}");
        assert!(job.contains("cancel-in-progress: false"), "{job}");
    }
    assert!(apply.contains("queue: max"), "else the last alone would wait: {apply}");
}

/// GitHub's own program stands in here: it writes down what it is asked for.
#[test]
fn the_comment_that_is_there_is_written_anew() {
    let shop = Shop::at("http://127.0.0.1:9");
    fs::write(shop.path("comment.md"), "<!-- mark -->\nplan\n").expect("the comment");
    let asked = |there: &str| {
        let _ = fs::remove_file(shop.path("asked"));
        let gh = format!(
            "case \"$*\" in *--paginate*) [ \"$MARK\" = '<!-- mark -->' ] && printf '{there}' ;; *) echo \"$@\" >> asked ;; esac"
        );
        let name = "Write the comment, or the one that is there anew";
        let (code, said) = step((GITHUB, "comment", name), &shop, &[("gh", &gh)], &[]);
        assert_eq!(code, Some(0), "{said}");
        fs::read_to_string(shop.path("asked")).expect("a call")
    };
    let issues = "repos/shop/infrastructure/issues";
    assert_eq!(
        asked(""),
        format!("api --silent --method POST {issues}/7/comments --field body=@comment.md\n")
    );
    assert_eq!(
        asked("42\\n43\\n"),
        format!("api --silent --method PATCH {issues}/comments/42 --field body=@comment.md\n")
    );
}

/// Its artifact is unpacked elsewhere, by somebody else's checkout.
#[test]
fn a_saved_plan_is_carried_out_on_another_machine() {
    let one = Shop::at("http://127.0.0.1:9");
    let sandboxed = |shop: &Shop, arguments: &[&str]| {
        shop.bare(&[arguments, &["--sandbox", "--sandbox-speed", "100000"]].concat())
    };
    sandboxed(&one, &["apply", "-y"]).exits(0);
    one.edit("interval = 30", "interval = 20");
    let there = one.path("topology.toml");
    let there = there.to_str().expect("a path");
    sandboxed(&one, &["plan", "--out", "near.plan"]).exits(0);
    sandboxed(&one, &["plan", "--out", "far.plan", "-f", there]).exits(0);

    let other = one.again();
    // The account, which both machines reach.
    fs::create_dir(other.path(".ecdeploy")).expect("a folder");
    for file in fs::read_dir(one.path(".ecdeploy")).expect("the account").flatten() {
        let to = other.path(".ecdeploy").join(file.file_name());
        fs::copy(file.path(), to).expect("the account");
    }
    for file in ["topology.toml", "near.plan", "far.plan"] {
        fs::copy(one.path(file), other.path(file)).expect("a file");
    }
    drop(one);

    sandboxed(&other, &["apply", "far.plan"])
        .exits(1)
        .says("say where it lies here: ecdeploy apply far.plan -f FILE");
    sandboxed(&other, &["apply", "near.plan"]).exits(0);
    sandboxed(&other, &["plan", "--detailed-exitcode"]).exits(0);
    let again = ["apply", "far.plan", "-f", "topology.toml"];
    sandboxed(&other, &again).exits(1).says("the account has moved since the plan was made");
}
