import Dispatch
import Foundation
import Synchronization

/// The threads that speak SMTP: libcurl blocks, and no thread of Swift's own pool may. Each has its connection and keeps it.
final class SMTPLanes: Sendable {
    private struct Job: Sendable {
        var letter: SMTPSession.Letter
        var done: CheckedContinuation<EffectFailure?, Never>
    }

    private struct State: Sendable {
        var queue: [Job] = []
        var threads = 0
        var idle = 0
        var isClosed = false
    }

    private let state = Mutex(State())
    private let work = DispatchSemaphore(value: 0)
    private let settings: NotificationSettings.Mail
    private let lanesMax: Int

    init(_ settings: NotificationSettings.Mail, lanesMax: Int = 8) {
        self.settings = settings
        self.lanesMax = lanesMax
    }

    /// Sends on the next lane that is free.
    func send(_ letter: SMTPSession.Letter) async throws(EffectFailure) {
        let failure = await withCheckedContinuation { continuation in
            let (isClosed, starts) = self.state.withLock { state -> (Bool, Bool) in
                guard !state.isClosed else { return (true, false) }
                state.queue.append(Job(letter: letter, done: continuation))
                guard state.queue.count > state.idle, state.threads < self.lanesMax else { return (false, false) }
                state.threads += 1
                return (false, true)
            }
            if isClosed { return continuation.resume(returning: EffectFailure(.transient, "mail is closed")) }
            if starts { Thread.detachNewThread { self.serve() } }
            self.work.signal()
        }
        if let failure { throw failure }
    }

    /// Lets the lanes end; what is under way is finished.
    func close() {
        let threads = self.state.withLock { state in
            state.isClosed = true
            return state.threads
        }
        for _ in 0..<threads { self.work.signal() }
    }

    private func serve() {
        var session = SMTPSession(self.settings)
        while let job = self.next() {
            if session == nil { session = SMTPSession(self.settings) }
            do throws(EffectFailure) {
                guard let session else { throw EffectFailure(.transient, "libcurl has no handle") }
                try session.send(job.letter)
                job.done.resume(returning: nil)
            } catch {
                job.done.resume(returning: error)
            }
        }
    }

    private func next() -> Job? {
        while true {
            self.state.withLock { $0.idle += 1 }
            self.work.wait()
            let (job, isOver) = self.state.withLock { state -> (Job?, Bool) in
                state.idle -= 1
                if !state.queue.isEmpty { return (state.queue.removeFirst(), false) }
                return (nil, state.isClosed)
            }
            if let job { return job }
            if isOver { return nil }
        }
    }
}
