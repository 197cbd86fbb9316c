import History
import Postgres
import Runtime

extension RunID {
    /// Nil for an id that no run of ours can have.
    var uuid: PostgresUUID? { PostgresUUID(value) }
    init(_ uuid: PostgresUUID) { self.init(uuid.description) }
}

extension NamespaceID {
    var uuid: PostgresUUID? { PostgresUUID(value) }
    init(_ uuid: PostgresUUID) { self.init(uuid.description) }
}

/// For what is about to be stored: there a bad id is our own fault.
func requireUUID(_ uuid: PostgresUUID?, _ what: String) throws(StoreError) -> PostgresUUID {
    guard let uuid else { throw .corrupt("\(what) is not a UUID") }
    return uuid
}

extension Parameters {
    /// One column of a set-based statement: one element for each item.
    mutating func column<Item>(of type: PostgresType, _ items: [Item], _ put: (inout Parameters, Item) -> Void) {
        array(of: type, count: items.count) { parameters in
            for item in items { put(&parameters, item) }
        }
    }
}
