import History

/// Finds the partition that decides for a workflow id.
struct RunRouter: Sendable {
    let partitions: [Partition]
    let laneCount: Int

    func partition(ofLane lane: Int16) -> Partition { partitions[Int(lane) / (laneCount / partitions.count)] }

    func partition(_ namespace: NamespaceID, _ workflow: WorkflowID) -> Partition {
        partition(
            ofLane: Slots.lane(of: Slots.slot(namespace: namespace, workflow: workflow), laneCount: laneCount))
    }
}
