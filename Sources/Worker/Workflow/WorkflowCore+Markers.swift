import History
import Replay

/// Markers as Temporal's SDK core writes them, so that other tools understand our histories.
extension WorkflowCore {
    private static let patchMarker = "core_patch"
    private static let patchDetail = "patch-data"
    private static let localActivityMarker = "core_local_activity"
    private static let localActivityDetail = "data"
    private static let localActivityResult = "result"

    private struct PatchData: Codable {
        var id: String
        var deprecated: Bool
    }

    private struct LocalActivityData: Codable {
        var number: UInt32
        var attempt: UInt32?
        var activityID: String
        var activityType: String
        var completeTime: Moment?
        var backoff: Moment?
        var originalScheduleTime: Moment?
        var activation: Int32?

        enum CodingKeys: String, CodingKey {
            case number = "seq"
            case attempt
            case activityID = "activity_id"
            case activityType = "activity_type"
            case completeTime = "complete_time"
            case backoff
            case originalScheduleTime = "original_schedule_time"
            case activation = "activation_index"
        }

        /// Nothing is left out: other readers want every field, null or not.
        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(number, forKey: .number)
            try container.encode(attempt, forKey: .attempt)
            try container.encode(activityID, forKey: .activityID)
            try container.encode(activityType, forKey: .activityType)
            try container.encode(completeTime, forKey: .completeTime)
            try container.encode(backoff, forKey: .backoff)
            try container.encode(originalScheduleTime, forKey: .originalScheduleTime)
            try container.encode(activation ?? 0, forKey: .activation)
        }
    }

    /// A time or a span.
    private struct Moment: Codable {
        var seconds: Int64
        var nanos: Int32

        init(nanoseconds: Int64) {
            seconds = nanoseconds / 1_000_000_000
            nanos = Int32(truncatingIfNeeded: nanoseconds % 1_000_000_000)
        }
        var nanoseconds: Int64 { seconds &* 1_000_000_000 &+ Int64(nanos) }
    }

    static func marker(for patch: PatchMark) -> RecordMarker {
        let data = PatchData(id: patch.id, deprecated: patch.isDeprecated)
        return RecordMarker(markerName: patchMarker, details: [NamedBlob(patchDetail, plain(data))])
    }

    static func marker(for end: LocalActivityMark) -> RecordMarker {
        let data = LocalActivityData(
            number: UInt32(truncatingIfNeeded: end.number), attempt: UInt32(bitPattern: end.attempt),
            activityID: end.activityID.value, activityType: end.activityType,
            completeTime: end.completeTime.map { Moment(nanoseconds: $0.nanoseconds) },
            backoff: end.backoff.map { Moment(nanoseconds: $0.nanoseconds) },
            originalScheduleTime: end.originalScheduleTime.map { Moment(nanoseconds: $0.nanoseconds) },
            activation: end.activation)
        var details = [NamedBlob(localActivityDetail, plain(data))]
        if let result = end.result { details.append(NamedBlob(localActivityResult, result)) }
        return RecordMarker(markerName: localActivityMarker, details: details, failure: end.failure)
    }

    /// What the markers among some events mean; markers of others mean nothing here.
    static func markers(in events: ArraySlice<Event>) -> [EventID: MarkerMeaning] {
        var meanings: [EventID: MarkerMeaning] = [:]
        for index in events.indices {
            guard case .markerRecorded(let marker) = events[index].kind else { continue }
            let next = events.index(after: index)
            let following = next < events.endIndex ? events[next] : nil
            meanings[events[index].id] = meaning(of: marker, following: following)
        }
        return meanings
    }

    /// The meanings in the order of their events.
    static func meanings(in events: ArraySlice<Event>) -> [MarkerMeaning] {
        let found = markers(in: events)
        return events.compactMap { found[$0.id] }
    }

    private static func meaning(of marker: MarkerRecorded, following: Event?) -> MarkerMeaning? {
        switch marker.markerName {
        case patchMarker:
            guard let data = read(PatchData.self, patchDetail, of: marker) else { return nil }
            return .patch(
                PatchMark(
                    id: data.id, isDeprecated: data.deprecated,
                    setsAttribute: following.map(setsChangeAttribute) ?? false))
        case localActivityMarker:
            guard let data = read(LocalActivityData.self, localActivityDetail, of: marker) else { return nil }
            return .localActivity(
                LocalActivityMark(
                    number: Int(data.number), activityID: ActivityID(data.activityID), activityType: data.activityType,
                    attempt: Int32(truncatingIfNeeded: data.attempt ?? 1), activation: data.activation,
                    completeTime: data.completeTime.map { Timestamp(nanoseconds: $0.nanoseconds) },
                    originalScheduleTime: data.originalScheduleTime.map { Timestamp(nanoseconds: $0.nanoseconds) },
                    backoff: data.backoff.map { TimeSpan(nanoseconds: $0.nanoseconds) },
                    result: marker.details.first { $0.name == localActivityResult }?.value, failure: marker.failure))
        default: return nil
        }
    }

    private static func setsChangeAttribute(_ event: Event) -> Bool {
        guard case .upsertWorkflowSearchAttributes(let upsert) = event.kind else { return false }
        return (try? Payload.fields(wire: upsert.searchAttributes.bytes))?[changeAttribute] != nil
    }

    /// Marker data are plain JSON, never through the codec, because every tool reads them.
    private static func plain(_ value: some Encodable) -> Blob {
        Blob((try? DataConverter.default.result(value)) ?? [])
    }

    private static func read<Value: Decodable>(_ type: Value.Type, _ name: String, of marker: MarkerRecorded) -> Value?
    {
        guard let detail = marker.details.first(where: { $0.name == name }) else { return nil }
        return try? DataConverter.default.value(type, fromWire: detail.value.bytes)
    }
}
