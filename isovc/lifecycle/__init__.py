"""What is done to a repository as a whole: checking it, cleaning it, moving it. Every deed is planned, shown, then
done."""
