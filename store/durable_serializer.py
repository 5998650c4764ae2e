"""What hands our JSON to DBOS."""

from typing import Any

from dbos import Serializer
from dbos import error as dbos_error

from store.durable_json import dumps, loads


class JsonSerializer(Serializer):
    def serialize(self, data: Any) -> str:
        if isinstance(data, dbos_error.DBOSMaxStepRetriesExceeded):
            data = data.errors[-1]
        return dumps(data)

    def deserialize(self, serialized_data: str) -> Any:
        return loads(serialized_data)

    def name(self) -> str:
        return "deskmate_json"
