/// One of Temporal's HTTP paths: a method of a service, whose request message is made of path, query values and body.
struct TemporalRoute: Sendable {
    let method: WireMethod
    /// nil for a method that this server does not have: it answers so.
    let entry: WireEntry?

    static let table: RouteTable<TemporalRoute> = {
        var table = RouteTable<TemporalRoute>()
        for row in TemporalPaths.rows {
            let route = route(row.method)
            table.add(row.verb, TemporalPaths.versioned(row.path), route)
            table.add(row.verb, row.path, route)
        }
        return table
    }()

    private static func route(_ name: String) -> TemporalRoute {
        if let entry = WireEntry.operatorService[name] {
            return TemporalRoute(method: WireMethod(service: WireMethod.operatorService, name: name), entry: entry)
        }
        return TemporalRoute(method: WireMethod(name: name), entry: WireEntry.workflowService[name])
    }
}
