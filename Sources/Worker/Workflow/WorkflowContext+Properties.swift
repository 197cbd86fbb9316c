import History
import Replay

extension WorkflowContext {
    /// Adds to the run's memo, or replaces what is there; nil removes an entry.
    public func upsertMemo(_ entries: [String: (any Encodable)?]) throws {
        try core.admit()
        guard !entries.isEmpty else { return }
        var fields: [String: Payload] = [:]
        for (name, value) in entries.sorted(by: { $0.key < $1.key }) {
            fields[name] = try core.converter.payload(for: value ?? NoValue())
        }
        core.machine.modifyProperties(upsertedMemo: Blob(Payload.wire(fields: fields)))
    }

    /// Has this run taken the new path of a change to its code?
    ///
    /// True for runs that reach this place first with the new code, and for ever after in those; false for runs that passed it
    /// before. Keep both paths until no old run is open, then call ``deprecatePatch(_:)``, then drop it.
    public func patched(_ id: String) -> Bool {
        if let decision = core.patchDecisions[id] { return decision }
        guard core.canRecord else { return core.recordedPatches.contains(id) }
        let isNew = !core.isReplaying || core.recordedPatches.contains(id)
        core.patchDecisions[id] = isNew
        if isNew { core.recordPatch(id, isDeprecated: false) }
        return isNew
    }

    /// Only the new path of this change is left in the code.
    public func deprecatePatch(_ id: String) {
        guard core.patchDecisions[id] == nil, core.canRecord else { return }
        core.patchDecisions[id] = true
        if !core.isReplaying || core.recordedPatches.contains(id) { core.recordPatch(id, isDeprecated: true) }
    }
}

extension WorkflowCore {
    /// The name of the marker that records a patch, as in Temporal's SDKs.
    static let patchMarker = "core_patch"
    private static let patchDetail = "patch-data"

    private struct PatchData: Codable {
        var id: String
        var deprecated: Bool
    }

    /// May commands be made now? (Not in queries, nor after the end.)
    var canRecord: Bool { executor.isCurrent && !isReadOnly && !isEvicted && outcome == nil }

    func recordPatch(_ id: String, isDeprecated: Bool) {
        let data = PatchData(id: id, deprecated: isDeprecated)
        let bytes = (try? DataConverter.default.result(data)) ?? []
        machine.recordMarker(
            RecordMarker(markerName: Self.patchMarker, details: [NamedBlob(Self.patchDetail, Blob(bytes))]),
            patch: PatchMark(id: id, isDeprecated: isDeprecated))
    }

    /// The patch markers among some events.
    static func patchMarks(in events: ArraySlice<Event>) -> [EventID: PatchMark] {
        var marks: [EventID: PatchMark] = [:]
        for event in events {
            guard case .markerRecorded(let marker) = event.kind, marker.markerName == patchMarker,
                let detail = marker.details.first(where: { $0.name == patchDetail }),
                let data = try? DataConverter.default.value(PatchData.self, fromWire: detail.value.bytes)
            else { continue }
            marks[event.id] = PatchMark(id: data.id, isDeprecated: data.deprecated)
        }
        return marks
    }
}
