/// What the OperatorService serves; clusters and Nexus endpoints answer UNIMPLEMENTED.
extension WireEntry {
    static let operatorService: [String: WireEntry] = [
        "AddSearchAttributes": WireEntry { $0.addSearchAttributes },
        "RemoveSearchAttributes": WireEntry { $0.removeSearchAttributes },
        "ListSearchAttributes": WireEntry { $0.listSearchAttributes },
        "DeleteNamespace": WireEntry { $0.deleteNamespace },
    ]
}
