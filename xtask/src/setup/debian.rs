//! The programs that come from the operating system: asked for by command first, installed as Debian packages only where one is missing.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::step::{self, Failure};

/// A program that must answer, and the packages that bring it.
struct Need {
    program: &'static str,
    /// Arguments that make a working one end with success.
    question: &'static [&'static str],
    packages: &'static [&'static str],
}

/// Where the package puts the browser; what starts it wants a path rather than a name.
pub(super) const CHROMIUM: &str = "/usr/bin/chromium";

const NEEDS: &[Need] = &[
    // 18.19 is what Debian 12 has, and what the newest of the pinned Node packages asks for.
    Need {
        program: "node",
        question: &[
            "-e",
            "const [a, b] = process.versions.node.split('.').map(Number); process.exit(a > 18 || (a === 18 && b >= 19) ? 0 : 1)",
        ],
        packages: &["nodejs"],
    },
    Need {
        program: "npm",
        question: &["--version"],
        packages: &["npm"],
    },
    Need {
        program: "git",
        question: &["--version"],
        packages: &["git"],
    },
    Need {
        program: "bash",
        question: &["--version"],
        packages: &["bash"],
    },
    Need {
        program: "unshare",
        question: &["--version"],
        packages: &["util-linux"],
    },
    Need {
        program: "setsid",
        question: &["--version"],
        packages: &["util-linux"],
    },
    // A real keyring in a session of its own, and another program that uses it.
    Need {
        program: "dbus-daemon",
        question: &["--version"],
        packages: &["dbus"],
    },
    Need {
        program: "gnome-keyring-daemon",
        question: &["--version"],
        packages: &["gnome-keyring"],
    },
    Need {
        program: "secret-tool",
        question: &["search", "--help"],
        packages: &["libsecret-tools"],
    },
    // The browser that people have, and a reader of QR codes that is not ours.
    Need {
        program: CHROMIUM,
        question: &["--version"],
        packages: &["chromium"],
    },
    Need {
        program: "zbarimg",
        question: &["--version"],
        packages: &["zbar-tools"],
    },
    // A server to deploy to, and the shells that its users may have.
    Need {
        program: "ssh",
        question: &["-V"],
        packages: &["openssh-client"],
    },
    Need {
        program: "bash",
        question: &["-c", "test -x /usr/sbin/sshd"],
        packages: &["openssh-server"],
    },
    Need {
        program: "busybox",
        question: &["true"],
        packages: &["busybox"],
    },
    // Connections to PostgreSQL through a pooler.
    Need {
        program: "bash",
        question: &["-c", "test -x /usr/sbin/pgbouncer"],
        packages: &["pgbouncer"],
    },
    Need {
        program: "fish",
        question: &["--version"],
        packages: &["fish"],
    },
    Need {
        program: "csh",
        question: &["-c", "true"],
        packages: &["csh"],
    },
];

/// Asks servers in benches; no test needs it. There is nothing that it does with success where no server runs.
const LOAD_GENERATOR: Need = Need {
    program: "bash",
    question: &["-c", "command -v wrk"],
    packages: &["wrk"],
};

/// Exits with 0 from Python 3.10 on, if a virtual environment can be made.
const PYTHON_QUESTION: &str = "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))";

/// Debian's own first: another one on PATH may be a shim that a clean environment cannot follow.
const PYTHONS: [&str; 3] = ["/usr/bin/python3", "/usr/local/bin/python3", "python3"];

/// Installs the packages of programs that do not answer and returns a Python that can make virtual environments.
pub(super) fn install_missing() -> Result<PathBuf, Failure> {
    let mut packages = missing_packages();
    if working_python().is_none() {
        packages.extend(["python3", "python3-venv"]);
    }
    packages.dedup();
    if !packages.is_empty() {
        install(&packages)?;
    }
    let left = missing_packages();
    if !left.is_empty() {
        return Err(Failure::new(format!(
            "the programs of {} are installed but too old or do not answer",
            left.join(", ")
        )));
    }
    working_python().ok_or_else(|| Failure::new("no Python from 3.10 on with venv and ensurepip, even after installing python3-venv"))
}

/// Installs what asks servers in benches, unless it is there.
pub(super) fn install_load_generator() -> Result<(), Failure> {
    if missing_of(&[LOAD_GENERATOR]).is_empty() {
        return Ok(());
    }
    install(LOAD_GENERATOR.packages)
}

fn missing_packages() -> Vec<&'static str> {
    missing_of(NEEDS)
}

fn missing_of(needs: &[Need]) -> Vec<&'static str> {
    needs
        .iter()
        .filter(|need| !answers(need.program.as_ref(), need.question))
        .flat_map(|need| need.packages)
        .copied()
        .collect()
}

fn working_python() -> Option<PathBuf> {
    PYTHONS
        .iter()
        .map(PathBuf::from)
        .find(|python| answers(python, &["-c", PYTHON_QUESTION]))
}

fn answers(program: &Path, question: &[&str]) -> bool {
    Command::new(program)
        .args(question)
        .output()
        .is_ok_and(|output| output.status.success())
}

fn install(packages: &[&str]) -> Result<(), Failure> {
    println!("    installing Debian packages: {}", packages.join(" "));
    if !answers("apt-get".as_ref(), &["--version"]) {
        return Err(Failure::new(format!(
            "these are missing and there is no apt-get to install them; install them by hand: {}",
            packages.join(" ")
        )));
    }
    step::quiet(as_root()?.args(["apt-get", "update"]))?;
    step::quiet(
        as_root()?
            .args(["apt-get", "install", "-y", "--no-install-recommends"])
            .args(packages),
    )?;
    Ok(())
}

/// A command whose arguments run as root and ask nothing.
fn as_root() -> Result<Command, Failure> {
    let root = step::quiet(Command::new("id").arg("-u"))?.trim() == "0";
    let mut command = if root {
        Command::new("env")
    } else if answers("sudo".as_ref(), &["--version"]) {
        let mut sudo = Command::new("sudo");
        sudo.arg("env");
        sudo
    } else {
        return Err(Failure::new(
            "Debian packages are missing: run `cargo xtask setup` once as root, or install sudo",
        ));
    };
    command.arg("DEBIAN_FRONTEND=noninteractive");
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_answers_only_if_it_is_there_and_ends_with_success() {
        assert!(answers("true".as_ref(), &[]));
        assert!(!answers("false".as_ref(), &[]));
        assert!(!answers("no-such-program-anywhere".as_ref(), &[]));
    }
}
