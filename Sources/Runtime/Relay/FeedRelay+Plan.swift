import History
import Logging
import Synchronization

extension FeedRelay {
    /// A batch for the broker, and which part of it belongs to which lane.
    struct Plan: Sendable {
        struct Part: Sendable {
            var lane: Int16
            var lastSequence: Int64
            /// Index of the lane's last message in the batch.
            var lastMessage: Int
        }
        var messages: [FeedMessage] = []
        var parts: [Part] = []
        /// A lane moved on without a message (an entry without events).
        var didMove = false
    }

    /// Takes whole entries from each lane until the batch is full; reads the store where memory does not have them.
    func nextPlan() async -> Plan {
        var plan = Plan()
        let lanes = state.withLock { $0.lanes.keys.sorted() }
        for lane in lanes where plan.messages.count < Self.batchMessagesMax {
            let budget = Self.batchMessagesMax - plan.messages.count
            if lane == RelayMark.domainLane {
                await addDomainEvents(to: &plan, budget: budget)
                continue
            }
            let (next, memory) = state.withLock { state -> (LaneProgress.Next, [OutboxEntry]) in
                guard let progress = state.lanes[lane] else { return (.idle, []) }
                let next = progress.next
                return (next, next == .fromMemory ? progress.batch(budget: budget) : [])
            }
            var entries = memory
            if case .fromStore(let after) = next {
                do {
                    entries = try await outbox.outboxEntries(lane: lane, after: after, limit: max(1, budget / 4))
                } catch {
                    log.warning("outbox not readable", metadata: ["error": "\(error)"])
                    continue
                }
                if entries.isEmpty {
                    // Sequences the store does not have were never committed.
                    state.withLock { state in
                        guard let progress = state.lanes[lane], progress.published == after, progress.next == next
                        else { return }
                        state.lanes[lane]?.acknowledged(through: progress.committed, mark: nil)
                    }
                    continue
                }
            }
            add(entries, lane: lane, to: &plan)
        }
        return plan
    }

    private func add(_ entries: [OutboxEntry], lane: Int16, to plan: inout Plan) {
        guard let last = entries.last else { return }
        let before = plan.messages.count
        for entry in entries {
            plan.messages += FeedFormat.messages(
                of: entry, namespace: namespaceName(entry.run.namespace), encoder: encoder)
        }
        if plan.messages.count > before {
            plan.parts.append(.init(lane: lane, lastSequence: last.sequence, lastMessage: plan.messages.count - 1))
        } else {
            plan.didMove = true
            state.withLock { $0.lanes[lane]?.acknowledged(through: last.sequence, mark: nil) }
        }
    }

    private func addDomainEvents(to plan: inout Plan, budget: Int) async {
        let after = state.withLock { state -> Int64? in
            guard state.domainMayHaveMore, let progress = state.lanes[RelayMark.domainLane] else { return nil }
            state.domainMayHaveMore = false
            return progress.published
        }
        guard let after else { return }
        do {
            let events = try await outbox.domainEvents(after: after, limit: budget)
            guard let last = events.last else { return }
            plan.messages += events.map(FeedFormat.message(of:))
            plan.parts.append(
                .init(lane: RelayMark.domainLane, lastSequence: last.sequence, lastMessage: plan.messages.count - 1))
        } catch {
            log.warning("business events not readable", metadata: ["error": "\(error)"])
        }
        state.withLock { $0.domainMayHaveMore = true }
    }
}
