//! `everysplit completions` and `everysplit man`: what a shell and `man` know about the command.

use clap::CommandFactory as _;
use clap_complete::Shell;
use clap_mangen::Man;

use crate::Error;
use crate::args::Arguments;
use crate::output::write_all;

const NAME: &str = "everysplit";

/// Prints the completions for a shell.
pub(crate) fn completions(shell: Shell) -> Result<(), Error> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), NAME, &mut text);
    Ok(write_all(&text)?)
}

/// Prints the manual page of the command, or of a verb.
pub(crate) fn manual(verb: Option<&str>) -> Result<(), Error> {
    let mut command = Arguments::command();
    command.build();
    let command = match verb {
        None => command,
        Some(verb) => command
            .find_subcommand(verb)
            .cloned()
            .ok_or_else(|| format!("there is no verb {verb}; {NAME} --help lists them"))?,
    };
    let mut page = Vec::new();
    Man::new(command).render(&mut page)?;
    Ok(write_all(&page)?)
}
