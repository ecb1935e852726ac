//! The Python package in the folder `python`: its own tests, which need pytest and Hypothesis.
//!
//! `.ci/run` installs the package and both.

use std::process::Command;

use crate::decoders::{PACKAGES, is_there};
use crate::program::{Finished, is_installed};

#[test]
fn the_tests_of_the_python_package_pass() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../python");
    let packages = format!("{PACKAGES}/python");
    if !is_installed("python3") || !is_there(&format!("{packages}/pytest"), "pytest") {
        return;
    }
    let mut pytest = Command::new("python3");
    pytest.args(["-m", "pytest", "-q", "-p", "no:cacheprovider"]);
    pytest.args(["-p", "no:hypothesispytest", folder]);
    // These sources, and the entry point of the installed package.
    pytest.env("PYTHONPATH", format!("{folder}:{packages}"));
    pytest.env("PYTHONDONTWRITEBYTECODE", "1");
    let storage = concat!(env!("CARGO_TARGET_TMPDIR"), "/hypothesis");
    pytest.env("HYPOTHESIS_STORAGE_DIRECTORY", storage);
    let output = Finished::from(pytest.output().unwrap()).with_status(0);
    assert!(output.contains(" passed in "), "{output}");
    assert!(!output.contains("skipped"), "{output}");
}
