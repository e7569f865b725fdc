//! The work of a connection, as far as it can be done without waiting: the machine's outputs are carried out, and what
//! comes in is given to it.

use std::io;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::coop;

use super::super::WebSocketError;
use super::super::intake::{Intake, poll_charge};
use super::super::tasks::Half;
use super::WebSocket;
use super::ending::End;
use crate::base::{Duration, Machine as _};
use crate::layers::application::websocket::{
    CloseCode, Event, Fragment, FrameHeader, Input, Message, MessageKind, Output, Phase, Step,
};

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    pub(in super::super) fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Message>, WebSocketError>> {
        if self.machine.gives_fragments() {
            return Poll::Ready(Err(WebSocketError::InFragments));
        }
        loop {
            match ready!(self.poll_heard(cx))? {
                Some(Event::Message(message)) => return Poll::Ready(Ok(Some(message))),
                Some(_) => {}
                None => return Poll::Ready(Ok(None)),
            }
        }
    }

    pub(in super::super) fn poll_fragment(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Fragment>, WebSocketError>> {
        loop {
            let (kind, payload) = match ready!(self.poll_heard(cx))? {
                Some(Event::Fragment(fragment)) => return Poll::Ready(Ok(Some(fragment))),
                Some(Event::Message(Message::Text(text))) => (MessageKind::Text, text.into()),
                Some(Event::Message(Message::Binary(bytes))) => (MessageKind::Binary, bytes),
                Some(_) => continue,
                None => return Poll::Ready(Ok(None)),
            };
            return Poll::Ready(Ok(Some(Fragment { kind, payload, is_last: true })));
        }
    }

    /// Waits for the end. Messages that still come are dropped.
    pub(in super::super) fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WebSocketError>> {
        while ready!(self.poll_heard(cx))?.is_some() {}
        Poll::Ready(Ok(()))
    }

    /// The next event, and then the end; an error when a rule was broken.
    fn poll_heard(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Event>, WebSocketError>> {
        loop {
            match ready!(self.poll_event(cx))? {
                // The answer to the peer goes first.
                Some(Event::Failed(failure)) => self.failed = Some(failure),
                None => {
                    return Poll::Ready(self.failed.take().map_or(Ok(None), |failure| Err(failure.into())));
                }
                event => return Poll::Ready(Ok(event)),
            }
        }
    }

    /// The next event of the machine; `None` when all is over.
    pub(in super::super) fn poll_event(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Event>, WebSocketError>> {
        self.send_overdue(cx)?;
        loop {
            if self.outgoing.waiting() > self.most_waiting && self.end != End::Over {
                // No more until the peer has taken some.
                ready!(self.poll_write(Half::Receiving, cx))?;
            }
            if let Some(message) = self.machine.whole_message() {
                return Poll::Ready(Ok(Some(Event::Message(message))));
            }
            match self.machine.step(self.now) {
                Step::Output(Output::Send(bytes)) => self.push(bytes),
                Step::Output(Output::Event(event)) => {
                    self.note(&event);
                    return Poll::Ready(Ok(Some(event)));
                }
                Step::Output(Output::WakeAt(at)) => self.wake.set(Some(at)),
                Step::Output(Output::Finished) if self.end != End::Over => self.end = End::Finishing,
                Step::Output(Output::Finished) => {}
                // More work than what was read has paid for.
                Step::Inflated(bytes) => ready!(poll_charge(cx, bytes)),
                Step::Idle => match self.end {
                    End::Open | End::Unheard => {
                        // What cannot be written now need not keep us from reading.
                        if let Poll::Ready(written) = self.poll_write(Half::Receiving, cx) {
                            written?;
                        }
                        if self.poll_read(cx)?.is_pending() {
                            ready!(self.poll_wake(cx));
                        }
                    }
                    End::Finishing | End::ShuttingDown | End::Draining => ready!(self.poll_finish(cx))?,
                    // The machine knows of the end of the stream and has no more outputs.
                    End::Eof => self.end = End::Over,
                    End::Over => return Poll::Ready(self.last_words()),
                },
            }
        }
    }

    /// Takes the message in as soon as there is room, then writes, unless more messages wait to be received.
    pub(in super::super) fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        message: &mut Option<Message>,
    ) -> Poll<Result<(), WebSocketError>> {
        self.check_heard()?;
        if let Some(message) = message {
            let waiting = self.outgoing.waiting() + self.machine.queued();
            let with_it = waiting.saturating_add(message.as_bytes().len());
            if with_it.saturating_add(FrameHeader::MAX_LEN) > self.most_waiting {
                ready!(self.poll_flush(cx))?;
            }
        }
        match message.take() {
            Some(Message::Text(text)) => self.machine.send_text(text)?,
            Some(Message::Binary(bytes)) => self.machine.send_binary(bytes)?,
            None => {}
        }
        if self.machine.has_frame() { Poll::Ready(Ok(())) } else { self.poll_flush(cx) }
    }

    /// Ready when there is room for a message.
    pub(in super::super) fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WebSocketError>> {
        self.check_heard()?;
        if self.outgoing.waiting() + self.machine.queued() >= self.most_waiting {
            ready!(self.poll_flush(cx))?;
        }
        Poll::Ready(Ok(()))
    }

    pub(in super::super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WebSocketError>> {
        self.gather();
        ready!(self.poll_write(Half::Sending, cx))?;
        Poll::Ready(self.lost.as_ref().map_or(Ok(()), |lost| Err(lost.error())))
    }

    /// Takes out of the machine what it gathers until its input has run dry.
    pub(super) fn gather(&mut self) {
        while let Some(bytes) = self.machine.unsent() {
            self.push(bytes);
        }
    }

    fn push(&mut self, bytes: Bytes) {
        if !matches!(self.end, End::Unheard | End::Over) {
            self.outgoing.push(bytes);
        }
    }

    /// Does `write`, and reads ahead when that has waited for a while: the peer may be waiting for us to read before it
    /// reads itself, and one end must begin. Not at once, for most often the peer is only busy.
    pub(super) fn poll_both<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut write: impl FnMut(&mut Self, &mut Context<'_>) -> Poll<Result<T, WebSocketError>>,
    ) -> Poll<Result<T, WebSocketError>> {
        const PATIENCE: Duration = Duration::from_millis(5);
        loop {
            if let Poll::Ready(done) = write(self, cx) {
                self.impatient.set(None);
                return Poll::Ready(done);
            }
            if !self.impatient.is_set() {
                self.impatient.set(Some(self.clock.now() + PATIENCE));
            }
            ready!(self.impatient.poll(self.clock, cx));
            if self.end != End::Open || self.machine.inbox().len() >= self.most_waiting {
                return Poll::Pending;
            }
            ready!(self.poll_read(cx))?;
        }
    }

    /// A program that takes long over each message of many lets its replies wait for the last of them. Not without end:
    /// they go out, as far as they can at once, when the oldest is due. A look at the clock costs a fifth of a small
    /// message, so it is taken at the first message, the second, the fourth, and every eighth.
    fn send_overdue(&mut self, cx: &mut Context<'_>) -> Result<(), WebSocketError> {
        if self.machine.queued() > 0 {
            self.asked = self.asked.saturating_add(1);
            if !matches!(self.asked, 1 | 2 | 4) && !self.asked.is_multiple_of(8) {
                return Ok(());
            }
            let now = self.clock.now();
            if now.since(self.now) >= self.linger {
                (self.now, self.asked) = (now, 0);
                self.gather();
                if let Poll::Ready(written) = self.poll_write(Half::Receiving, cx) {
                    written?;
                }
            }
        }
        Ok(())
    }

    /// Writes, for the sake of a task of `half`, until nothing waits. Nothing waits for a stream that has failed.
    pub(super) fn poll_write(
        &mut self,
        half: Half,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), WebSocketError>> {
        while !self.outgoing.is_done() {
            match self.poll_write_some(half, cx) {
                Poll::Ready(Ok(())) if self.stalled.is_set() => {
                    self.stalled.set(None);
                    self.tasks.wake_all();
                }
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(source)) => self.unwritable(source),
                Poll::Pending => return self.poll_stalled(),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Most often the stream takes bytes at once, and no task waits. If it does not, the task is counted in, and the
    /// stream is asked again: it may take bytes by now and have woken the tasks that were counted in before.
    fn poll_write_some(&mut self, half: Half, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let all = self.tasks.waker();
        let mut all = Context::from_waker(&all);
        let written = self.outgoing.poll_write(&mut *self.stream, &mut all);
        if written.is_ready() {
            return written;
        }
        self.tasks.add(half, cx.waker());
        self.outgoing.poll_write(&mut *self.stream, &mut all)
    }

    /// Takes bytes from the stream into the machine, or the news that no more will come.
    ///
    /// A peer may always have more to say, and nothing in it for the user above. So that other tasks get their turn the
    /// runtime's budget is charged by the bytes that came; when it is used up this is pending.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WebSocketError>> {
        let turn = ready!(coop::poll_proceed(cx));
        let coming_in = self.machine.coming_in();
        let inbox = self.machine.inbox();
        match ready!(self.intake.poll_read(&mut *self.stream, cx, inbox, coming_in)) {
            Ok(0) => {
                self.end = End::Eof;
                self.now = self.clock.now();
                self.machine.handle(self.now, Input::Eof);
            }
            Ok(read) => {
                turn.made_progress();
                // What has been read is given to the machine, whether or not that was the last of the budget.
                let _ = poll_charge(cx, read);
                (self.now, self.asked) = (self.clock.now(), 0);
                self.machine.handle(self.now, Input::Arrived);
            }
            // Both Close frames are exchanged: however TCP ends now, nothing is lost.
            Err(_) if self.machine.phase() == Phase::Closed => self.end_of_tcp(),
            Err(source) => return Poll::Ready(Err(self.unreadable(source))),
        }
        Poll::Ready(Ok(()))
    }

    /// Nothing comes in: memory is given up, and the machine's timer is awaited. Until then the other half
    /// may do something that concerns this one.
    fn poll_wake(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.tasks.add(Half::Receiving, cx.waker());
        Intake::keep(self.machine.rest());
        self.outgoing.rest();
        if self.end == End::Unheard && self.poll_give_up().is_ready() {
            self.end_of_tcp();
            return Poll::Ready(());
        }
        if let Some(stop) = &mut self.stop
            && stop.as_mut().poll(cx).is_ready()
        {
            self.stop = None;
            // When it is closing already there is nothing to say.
            let _ = self.start_close(&CloseCode::GOING_AWAY.into());
            return Poll::Ready(());
        }
        ready!(self.wake.poll(self.clock, cx));
        self.wake.set(None);
        self.now = self.clock.now();
        self.machine.handle(self.now, Input::Wake);
        Poll::Ready(())
    }
}
