import Foundation
import Postgres

/// How a notification is sent once more.
extension RedriveServices {
    /// The request as it was accepted, with a higher number, and with a higher generation only where the earlier message is known
    /// not to have left: otherwise the same keys make a provider that has it already say so.
    func notification(_ entry: DeadLetterView, _ job: RedriveInput) async throws -> Restart {
        let parts = entry.key.split(separator: ":", maxSplits: 2).map(String.init)
        guard parts.count == 3, parts[0] == "ntf" else {
            throw EffectFailure(.invalid, "the key names no notification")
        }
        let id = parts[2].split(separator: ":").first.map(String.init) ?? ""
        let rows = try await self.query(DeadLetterStatements.notificationRequest) {
            $0.text(entry.tenant)
            $0.text(id)
        }
        guard rows.count == 1, let text = try rows[0].textOrNil(0) else {
            throw EffectFailure(.invalid, "the request was erased or its retention ended")
        }
        var request = try PaymentJSON.value(NotificationRequest.self, text)
        request.redrive = entry.redriveCount + 1
        if entry.isOutcomeKnown { request.generation += entry.redriveCount + 1 }
        if let version = job.overrides["template.version"].flatMap({ Int($0) }) { request.template.version = version }
        if let channel = job.overrides["channel"] {
            guard let channel = Channel(rawValue: channel) else {
                throw EffectFailure(.invalid, "'\(channel)' is no channel")
            }
            request.channels = [channel]
        }
        if let provider = job.overrides["provider"] { request.provider = provider }
        // What was to be sent at a time that is past is sent now.
        request.sendAt = nil
        return Restart(
            workflowID: request.workflowID, type: "ntf.Send", taskQueue: NotificationQueues.main, input: request)
    }
}
