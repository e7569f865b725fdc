//! The palette: what a cell means, and which colour says it again.
//!
//! Nothing is said by colour alone. A terminal has eight colours, so two tones may share one there; an image or a page
//! has one for each, for light and for dark paper, with enough contrast to be read (WCAG 2.2 §1.4.3).

use anstyle::{AnsiColor, Style};

use crate::base::Layer;

/// What a cell means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tone {
    /// Ordinary text and lines.
    #[default]
    Plain,
    /// Lifelines, times and other scaffolding.
    Faint,
    /// Names, titles and headings.
    Strong,
    /// Something went wrong: lost, corrupted, refused.
    Bad,
    /// Something was done about it: sent again.
    Again,
    /// Reached a program or a state.
    Good,
    /// Belongs to a layer.
    Of(Layer),
}

/// A colour of the palette on light and on dark paper.
pub(crate) struct Colour {
    /// Its class in style sheets, and the name of its variable.
    pub(crate) name: &'static str,
    pub(crate) light: &'static str,
    pub(crate) dark: &'static str,
}

const fn colour(name: &'static str, light: &'static str, dark: &'static str) -> Colour {
    Colour { name, light, dark }
}

/// All colours. `p` is the paper; every other one is the colour of a tone.
pub(crate) const COLOURS: &[Colour] = &[
    colour("i", "#1f2328", "#d7dce2"),
    colour("f", "#626b76", "#949da8"),
    colour("x", "#b42318", "#ff8a80"),
    colour("y", "#8a5300", "#e5b567"),
    colour("g", "#116b36", "#6fcf97"),
    colour("p", "#ffffff", "#12161c"),
    colour("l1", "#5b636d", "#a3abb5"),
    colour("l2", "#7a5600", "#e0b050"),
    colour("l3", "#1859b0", "#7ab4ff"),
    colour("l4", "#116b36", "#6fcf97"),
    colour("l5", "#8032a3", "#d69bf0"),
];

impl Tone {
    /// Its classes in the style sheets of images and pages: a colour, and `b` for bold.
    pub(crate) const fn class(self) -> &'static str {
        match self {
            Tone::Plain => "i",
            Tone::Faint => "f",
            Tone::Strong => "i b",
            Tone::Bad => "x",
            Tone::Again => "y",
            Tone::Good => "g",
            Tone::Of(Layer::Physical) => "l1",
            Tone::Of(Layer::Link) => "l2",
            Tone::Of(Layer::Internet) => "l3",
            Tone::Of(Layer::Transport) => "l4",
            Tone::Of(Layer::Application) => "l5",
        }
    }

    /// How a terminal shows it.
    pub(crate) const fn style(self) -> Style {
        match self {
            Tone::Plain => Style::new(),
            Tone::Faint => Style::new().dimmed(),
            Tone::Strong => Style::new().bold(),
            Tone::Bad => AnsiColor::Red.on_default().bold(),
            Tone::Again => AnsiColor::Yellow.on_default(),
            Tone::Good => AnsiColor::Green.on_default(),
            Tone::Of(Layer::Physical) => AnsiColor::BrightBlack.on_default(),
            Tone::Of(Layer::Link) => AnsiColor::Yellow.on_default(),
            Tone::Of(Layer::Internet) => AnsiColor::Blue.on_default(),
            Tone::Of(Layer::Transport) => AnsiColor::Green.on_default(),
            Tone::Of(Layer::Application) => AnsiColor::Magenta.on_default(),
        }
    }
}
