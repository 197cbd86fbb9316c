import History
import Replay

extension WorkflowContext {
    /// Has this run taken the new path of a change to its code?
    ///
    /// True for runs that reach this place first with the new code, and for ever after in those; false for runs that passed it
    /// before. Keep both paths until no old run is open, then call ``deprecatePatch(_:)``, then drop it.
    ///
    /// The run's search attribute `TemporalChangeVersion` lists its patches, so that runs of either path can be found.
    public func patched(_ id: String) -> Bool {
        if let decision = core.patchDecisions[id] { return decision }
        guard core.canRecord else { return core.recordedPatches[id] != nil }
        let isNew = !core.isReplaying || core.recordedPatches[id] != nil
        core.patchDecisions[id] = isNew
        if isNew { core.recordPatch(id, isDeprecated: false) }
        return isNew
    }

    /// Only the new path of this change is left in the code.
    public func deprecatePatch(_ id: String) {
        guard core.patchDecisions[id] == nil, core.canRecord else { return }
        core.patchDecisions[id] = true
        if !core.isReplaying || core.recordedPatches[id] != nil { core.recordPatch(id, isDeprecated: true) }
    }
}

extension WorkflowCore {
    /// The search attribute that lists the patches of a run.
    static let changeAttribute = "TemporalChangeVersion"
    /// A longer list is not written: the server would refuse the whole answer.
    static let changeAttributeBytesMax = 2048

    /// May commands be made now? (Not in queries, nor after the end.)
    var canRecord: Bool { executor.isCurrent && !isReadOnly && !isEvicted && outcome == nil }

    /// Asks for the marker, and for the attribute where it was or now is written with it.
    func recordPatch(_ id: String, isDeprecated: Bool) {
        let setsAttribute = !isReplaying || recordedPatches[id]?.setsAttribute == true
        let mark = PatchMark(id: id, isDeprecated: isDeprecated, setsAttribute: setsAttribute)
        machine.recordMarker(Self.marker(for: mark), meaning: .patch(mark))
        notedPatches.insert(id)
        guard setsAttribute, let payload = try? SearchAttributeValue.keywordList(notedPatches.sorted()).payload() else {
            return
        }
        guard isReplaying || payload.data.count < Self.changeAttributeBytesMax else { return }
        upsert([Self.changeAttribute: payload])
    }
}
